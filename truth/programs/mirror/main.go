// Mirror plants goroutine dumps (mode stack) and goroutine profiles (mode profile) that wait for a generic function's copy.
package main

import (
	"io"
	"runtime"
	"runtime/pprof"
	"time"

	"example.org/planted/internal/plant"
)

type cell struct{ a, b uint64 }

//go:noinline
func mirror[T any](to, from []T) int { return copy(to, from) }

func listGoroutines() { runtime.Stack(make([]byte, 1<<16), true) }

func profileGoroutines() { plant.Check(pprof.Lookup("goroutine").WriteTo(io.Discard, 0)) }

func main() {
	plant.Setup()
	const cells = 90 << 20
	to, from := make([]cell, cells), make([]cell, cells)
	for i := 0; i < cells; i += 256 {
		to[i].a, from[i].b = 1, 2
	}
	copied := make(chan int, 1)
	plant.Start()
	for round := 0; round < 3; round++ {
		plant.Nap(70)
		go func() { copied <- mirror(to, from) }()
		plant.Nap(8)
		asked := time.Now()
		if plant.Mode() == "profile" {
			profileGoroutines()
			plant.Fault("stw", "main.mirror[...]", asked, time.Since(asked), "reason", "goroutine profile", "asker", "main.profileGoroutines")
		} else {
			listGoroutines()
			plant.Fault("stw", "main.mirror[...]", asked, time.Since(asked), "reason", "all goroutines stack trace", "asker", "main.listGoroutines")
		}
		<-copied
	}
	plant.Stop()
}
