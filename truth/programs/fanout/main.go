// Fanout is harmless: hundreds of goroutines at a time, gone again within a few milliseconds; their errors come
// back through one channel (mode gather).
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func shard(i int) error {
	plant.Burn(8 * time.Microsecond)
	return nil
}

func scatter(n int) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			shard(i)
		}()
	}
	wg.Wait()
}

func gather(n int) (first error) {
	errs := make(chan error)
	for i := 0; i < n; i++ {
		go func() { errs <- shard(i) }()
	}
	for i := 0; i < n; i++ {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func main() {
	plant.Setup()
	plant.Start()
	for end := time.Now().Add(plant.Span()); time.Now().Before(end); {
		if plant.Mode() == "gather" {
			gather(200)
		} else {
			scatter(250)
		}
		plant.Nap(20)
	}
	plant.Stop()
}
