// Wipe plants stops of the world that wait for memclr: a method clears a big arena while a collection is asked for.
package main

import (
	"runtime"
	"sync"
	"time"

	"example.org/planted/internal/blobs"
	"example.org/planted/internal/plant"
)

func main() {
	plant.Setup()
	arena := blobs.New(plant.Touched(2200 << 20))
	plant.Start()
	for round := 0; round < 3; round++ {
		plant.Nap(60)
		var gate, over sync.WaitGroup
		gate.Add(1)
		over.Add(1)
		var end time.Time
		go func() {
			defer over.Done()
			gate.Done()
			arena.Wipe()
			end = time.Now()
		}()
		gate.Wait()
		plant.Nap(6)
		asked := time.Now()
		runtime.GC()
		over.Wait()
		plant.Fault("stw", "example.org/planted/internal/blobs.(*Arena).Wipe", asked, end.Sub(asked), "reason", "GC sweep termination", "asker", "main.main")
	}
	plant.Stop()
}
