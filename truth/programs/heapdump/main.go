// Heapdump plants a stop that is long for its own work: the heap is written to a file while the world stands.
package main

import (
	"os"
	"runtime/debug"
	"time"

	"example.org/planted/internal/plant"
)

type node struct {
	left, right *node
	load        [6]uint64
}

func grow(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: grow(depth - 1), right: grow(depth - 1)}
}

type archivist struct{ file *os.File }

func (a *archivist) writeDown() { debug.WriteHeapDump(a.file.Fd()) }

func main() {
	plant.Setup()
	tree := grow(18)
	file, err := os.CreateTemp("", "heap")
	plant.Check(err)
	defer os.Remove(file.Name())
	a := &archivist{file}
	plant.Start()
	for round := 0; round < 2; round++ {
		plant.Nap(80)
		asked := time.Now()
		a.writeDown()
		plant.Fault("stw-own", "main.(*archivist).writeDown", asked, time.Since(asked), "reason", "write heap dump")
	}
	plant.Nap(50)
	plant.Stop()
	if tree.left.load[0] != 0 {
		panic("changed")
	}
}
