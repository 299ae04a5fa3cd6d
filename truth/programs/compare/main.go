// Compare plants changes of GOMAXPROCS that wait for a comparison of two big blocks, run in a closure.
package main

import (
	"runtime"
	"time"

	"example.org/planted/internal/blobs"
	"example.org/planted/internal/plant"
)

func resize(n int) { runtime.GOMAXPROCS(n) }

func main() {
	plant.Setup()
	left, right := blobs.New(plant.Touched(1500<<20)), blobs.New(plant.Touched(1500<<20))
	equal := make(chan bool, 1)
	plant.Start()
	for round := 0; round < 3; round++ {
		plant.Nap(70)
		go func() {
			equal <- left.Twin(right)
		}()
		plant.Nap(8)
		asked := time.Now()
		resize(plant.Procs() + 1 - round%2)
		plant.Fault("stw", "example.org/planted/internal/blobs.(*Arena).Twin", asked, time.Since(asked), "reason", "GOMAXPROCS", "asker", "main.resize")
		<-equal
	}
	plant.Stop()
}
