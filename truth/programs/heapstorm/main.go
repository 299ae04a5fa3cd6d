// Heapstorm plants collections that take the CPU from everybody: many pointers with little room (lists, maps, trees of finalizers).
// "roomy" is harmless: the same garbage with room for it.
package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type node struct {
	next, other *node
	pad         [2]uint64
}

var (
	keep  []*node
	table map[int]*node
)

// churnList makes lists of small objects and drops them.
func churnList(until time.Time) {
	var head *node
	for n := 0; time.Now().Before(until); n++ {
		for i := 0; i < 200; i++ {
			head = &node{next: head}
		}
		if n%20 == 0 {
			head = nil
		}
	}
}

// churnMap fills maps with pointers.
func churnMap(until time.Time) {
	for time.Now().Before(until) {
		m := make(map[int]*node)
		for i := 0; i < 500; i++ {
			m[i] = new(node)
		}
		table[len(m)] = m[1]
	}
}

type handle struct{ p *node }

func (h *handle) close() { h.p = nil }

// churnFinal makes objects with finalizers.
func churnFinal(until time.Time) {
	for time.Now().Before(until) {
		for i := 0; i < 50; i++ {
			h := &handle{new(node)}
			runtime.SetFinalizer(h, (*handle).close)
		}
	}
}

func main() {
	plant.Setup()
	table = map[int]*node{}
	var prev *node
	for i := 0; i < 300000; i++ {
		prev = &node{next: prev}
		keep = append(keep, prev)
	}
	percent := 5
	if plant.Mode() == "roomy" {
		percent = 800
	}
	debug.SetGCPercent(percent)
	plant.Start()
	from := time.Now()
	until := from.Add(2 * plant.Span())
	who, f := "main.churnList", churnList
	switch plant.Mode() {
	case "map":
		who, f = "main.churnMap", churnMap
	case "final":
		who, f = "main.churnFinal", churnFinal
	}
	var wg sync.WaitGroup
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			if plant.Mode() == "map" && i > 0 {
				return
			}
			f(until)
		}(i)
	}
	wg.Wait()
	plant.Fault("gc", who, from, time.Since(from))
	plant.Stop()
}
