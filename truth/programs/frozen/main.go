// Frozen computes and keeps time while the driver stops and continues the whole process from outside, or lets it run
// on a single CPU that it shares with busy neighbours.
package main

import (
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

var over atomic.Bool

func compute(done chan struct{}) {
	for !over.Load() {
		plant.Burn(time.Millisecond)
	}
	done <- struct{}{}
}

func metronome(done chan struct{}) {
	for !over.Load() {
		from := time.Now()
		time.Sleep(2 * time.Millisecond)
		plant.Burn(50 * time.Microsecond)
		if gap := time.Since(from); gap > 30*time.Millisecond {
			plant.Fault("gap", "", from, gap, "victim", "main.metronome")
		}
	}
	done <- struct{}{}
}

func main() {
	plant.Setup()
	done := make(chan struct{})
	busy := min(plant.Procs(), 2)
	plant.Start()
	for i := 0; i < busy; i++ {
		go compute(done)
	}
	go metronome(done)
	time.Sleep(plant.Span() + 800*time.Millisecond)
	over.Store(true)
	for i := 0; i <= busy; i++ {
		<-done
	}
	plant.Stop()
}
