// Grind plants starvation by saturation: goroutines that compute keep every P busy, and short answers come late.
package main

import (
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type mill struct {
	over atomic.Bool
	sum  atomic.Uint64
}

func (m *mill) grind() {
	for !m.over.Load() {
		m.sum.Add(plant.Burn(3 * time.Millisecond))
	}
}

// answer is short and woken by a timer; to be fair to others it yields once, and so stands at the end of the line.
func (m *mill) answer(wg *sync.WaitGroup, yield func()) {
	defer wg.Done()
	for !m.over.Load() {
		time.Sleep(12 * time.Millisecond)
		from := time.Now()
		yield()
		if late := time.Since(from); late > 30*time.Millisecond {
			plant.Fault("saturation", "main.(*mill).grind", from, late, "victim", "main.(*mill).answer")
		}
		plant.Burn(100 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	m := new(mill)
	var wg sync.WaitGroup
	plant.Start()
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go m.answer(&wg, yieldOnce)
	}
	for i := 0; i < 8*plant.Procs()+8; i++ {
		go m.grind()
	}
	time.Sleep(plant.Span() + 500*time.Millisecond)
	m.over.Store(true)
	wg.Wait()
	plant.Stop()
}
