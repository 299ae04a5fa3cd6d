// Rationed computes on several goroutines, or one, while the kernel gives it the CPU only part of the time: a quota, or
// whoever stops and continues it all the time. The program itself is not to blame.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func crunch(until time.Time) {
	for time.Now().Before(until) {
		plant.Burn(500 * time.Microsecond)
	}
}

func serve(until time.Time, worst *time.Duration, at *time.Time) {
	for time.Now().Before(until) {
		due := time.Now().Add(2 * time.Millisecond)
		time.Sleep(2 * time.Millisecond)
		if late := time.Since(due); late > *worst {
			*worst, *at = late, due
		}
		plant.Burn(50 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	plant.Start()
	from := time.Now()
	until := from.Add(2 * plant.Span())
	var wg sync.WaitGroup
	var worst time.Duration
	var at time.Time
	n := plant.Procs()
	if plant.Mode() == "single" {
		n = 1
	}
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			crunch(until)
		}()
	}
	serve(until, &worst, &at)
	wg.Wait()
	plant.Fault("rationed", "", from, time.Since(from), "worst_ms", float64(worst)/1e6)
	plant.Stop()
}
