// Busy and idle programs as people write them, with nothing but the standard library, and nothing wrong with them.
package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"example.org/healthy/internal/record"
)

var check = record.Check

func main() { record.Main() }

// crew runs n workers and waits for all of them.
func crew(n int, work func(i int)) (wait func()) {
	var all sync.WaitGroup
	for i := 0; i < n; i++ {
		i := i
		all.Add(1)
		go func() {
			defer all.Done()
			work(i)
		}()
	}
	return all.Wait
}

func procs() int { return runtime.GOMAXPROCS(0) }

// rest sleeps, or returns false when the context ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
