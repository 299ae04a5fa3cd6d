// Dumpstacks plants stops that are long for their own work: all stacks of thousands of goroutines are printed.
package main

import (
	"runtime"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func park(gate *sync.WaitGroup, depth int) {
	if depth > 0 {
		park(gate, depth-1)
		return
	}
	gate.Wait()
}

func printAll(into []byte) int { return runtime.Stack(into, true) }

func main() {
	plant.Setup()
	var gate sync.WaitGroup
	gate.Add(1)
	for i := 0; i < 6000; i++ {
		go park(&gate, 8)
	}
	into := make([]byte, 64<<20)
	plant.Nap(50)
	plant.Start()
	for round := 0; round < 3; round++ {
		plant.Nap(80)
		asked := time.Now()
		printAll(into)
		plant.Fault("stw-own", "main.printAll", asked, time.Since(asked), "reason", "all goroutines stack trace")
	}
	plant.Nap(50)
	plant.Stop()
	gate.Done()
}
