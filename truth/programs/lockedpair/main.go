// Lockedpair is harmless: two goroutines that are bound to threads of their own hand work to each other.
package main

import (
	"runtime"
	"time"

	"example.org/planted/internal/plant"
)

func partner(in <-chan int, out chan<- int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(out)
	for n := range in {
		plant.Burn(30 * time.Microsecond)
		out <- n + 1
	}
}

func main() {
	plant.Setup()
	there, back := make(chan int), make(chan int)
	plant.Start()
	go partner(there, back)
	for end, n := time.Now().Add(plant.Span()), 0; time.Now().Before(end); {
		there <- n
		n = <-back
		plant.Nap(1)
	}
	close(there)
	plant.Stop()
}
