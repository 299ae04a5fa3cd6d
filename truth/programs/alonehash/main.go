// Alonehash is harmless: one goroutine runs long in code that can't be preempted, but nobody asks for a stop and
// the other P's have room for all others.
package main

import (
	"time"

	"example.org/planted/internal/blobs"
	"example.org/planted/internal/plant"
)

func beat(until time.Time) {
	for time.Now().Before(until) {
		plant.Burn(20 * time.Microsecond)
		plant.Nap(3)
	}
}

func main() {
	plant.Setup()
	left, right := blobs.New(plant.Touched(800<<20)), blobs.New(plant.Touched(800<<20))
	done := make(chan bool)
	plant.Start()
	until := time.Now().Add(plant.Span())
	go func() {
		for time.Now().Before(until) {
			left.Twin(right)
			plant.Nap(20)
		}
		close(done)
	}()
	beat(until)
	<-done
	plant.Stop()
}
