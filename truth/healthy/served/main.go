// Servers and stores as people run them: other people's modules under an ordinary load.
package main

import (
	"context"
	"sync"
	"time"

	"example.org/healthy/internal/record"
)

var check = record.Check

func main() { record.Main() }

// crew runs n workers and returns what waits for all of them.
func crew(n int, work func(i int)) (wait func()) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { work(i) })
	}
	return all.Wait
}

func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
