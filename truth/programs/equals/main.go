// Equals is harmless: more goroutines compute than there are P's, all alike; they share the time fairly.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func crunch(until time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for time.Now().Before(until) {
		plant.Burn(2 * time.Millisecond)
	}
}

func main() {
	plant.Setup()
	var wg sync.WaitGroup
	plant.Start()
	until := time.Now().Add(plant.Span())
	for i := 0; i < 2*plant.Procs(); i++ {
		wg.Add(1)
		go crunch(until, &wg)
	}
	wg.Wait()
	plant.Stop()
}
