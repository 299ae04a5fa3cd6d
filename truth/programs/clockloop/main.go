// Clockloop asks for stops while a goroutine waits in a loop around time.Now. It is caught late, if it is.
package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

var over atomic.Bool

func untilPast(end time.Time) {
	for time.Now().Before(end) {
	}
}

func watchClock(done chan struct{}) {
	for !over.Load() {
		untilPast(time.Now().Add(100 * time.Millisecond))
	}
	close(done)
}

func main() {
	plant.Setup()
	var stats runtime.MemStats
	done := make(chan struct{})
	plant.Start()
	go watchClock(done)
	for round := 0; round < 20; round++ {
		plant.Nap(30)
		asked := time.Now()
		runtime.ReadMemStats(&stats)
		plant.Fault("clock", "main.untilPast", asked, time.Since(asked), "reason", "read mem stats", "asker", "main.main")
	}
	over.Store(true)
	<-done
	plant.Stop()
}
