// Patient is harmless: long waits that are meant: for a group of workers, for a deadline, for the end, for a select.
package main

import (
	"context"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func stage(ctx context.Context, n int, wg *sync.WaitGroup) {
	defer wg.Done()
	for i := 0; i < n; i++ {
		plant.Burn(400 * time.Microsecond)
		select {
		case <-ctx.Done():
			return
		case <-time.After(9 * time.Millisecond):
		}
	}
}

func guard(ctx context.Context) { <-ctx.Done() }

func main() {
	plant.Setup()
	ctx, cancel := context.WithTimeout(context.Background(), plant.Span()+300*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	plant.Start()
	go guard(ctx)
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go stage(ctx, 60, &wg)
	}
	wg.Wait()
	plant.Stop()
}
