// Statsloop plants stops that are short, but so frequent that they cost a good part of the time.
package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type meter struct {
	last  runtime.MemStats
	reads int
}

func (m *meter) poll(until time.Time) {
	for time.Now().Before(until) {
		runtime.ReadMemStats(&m.last)
		m.reads++
		plant.Burn(80 * time.Microsecond)
	}
}

var over atomic.Bool

func toil(done chan struct{}) {
	for !over.Load() {
		plant.Burn(200 * time.Microsecond)
	}
	done <- struct{}{}
}

func main() {
	plant.Setup()
	done := make(chan struct{})
	m := new(meter)
	workers := 1
	plant.Start()
	for i := 0; i < workers; i++ {
		go toil(done)
	}
	from := time.Now()
	m.poll(from.Add(plant.Span() + 600*time.Millisecond))
	plant.Fault("frequent", "main.(*meter).poll", from, time.Since(from), "stops", m.reads)
	over.Store(true)
	for i := 0; i < workers; i++ {
		<-done
	}
	plant.Stop()
}
