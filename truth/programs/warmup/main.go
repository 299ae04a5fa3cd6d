// Warmup is harmless: a cache fills up as fast as it can and is used from then on. The heap doubles again and again, and each
// time it is collected, with assists: that is over when the cache is full.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type page struct {
	next *page
	text []byte
}

type shelf struct {
	mu    sync.Mutex
	pages map[int]*page
}

func (s *shelf) load(n int) {
	p := &page{next: &page{}, text: make([]byte, 200)}
	s.mu.Lock()
	s.pages[n] = p
	s.mu.Unlock()
}

func main() {
	plant.Setup()
	shelves := [2]shelf{}
	for i := range shelves {
		shelves[i].pages = map[int]*page{}
	}
	var wg sync.WaitGroup
	plant.Start()
	for i := range shelves {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := 0; n < 150_000; n++ {
				shelves[i].load(n)
			}
		}()
	}
	wg.Wait()
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		plant.Burn(200 * time.Microsecond)
		plant.Nap(2)
	}
	plant.Stop()
}
