// Shortlocks is harmless: a lock with some contention, never held for long.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type tally struct {
	sync.Mutex
	by map[int]int
}

func (t *tally) add(k int) {
	t.Lock()
	plant.Burn(60 * time.Microsecond)
	t.by[k]++
	t.Unlock()
}

func main() {
	plant.Setup()
	t := &tally{by: map[int]int{}}
	var wg sync.WaitGroup
	plant.Start()
	until := time.Now().Add(plant.Span())
	for i := 0; i < 5; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(until) {
				t.add(i)
				plant.Nap(1)
			}
		}()
	}
	wg.Wait()
	plant.Stop()
}
