// Churn plants allocation that drives the collector so hard that the program does little else.
package main

import (
	"runtime/debug"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type row struct {
	next  *row
	cells []*int
}

var base []*row

func parse(n int) *row {
	var head *row
	for i := 0; i < n; i++ {
		r := &row{next: head, cells: make([]*int, 24)}
		for c := range r.cells {
			v := i * c
			r.cells[c] = &v
		}
		head = r
	}
	return head
}

func main() {
	plant.Setup()
	debug.SetGCPercent(10)
	for i := 0; i < 40; i++ {
		base = append(base, parse(400))
	}
	var wg sync.WaitGroup
	plant.Start()
	from := time.Now()
	end := from.Add(plant.Span())
	for i := 0; i < 2*plant.Procs(); i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) {
				parse(300)
			}
		}()
	}
	wg.Wait()
	plant.Fault("churn", "main.parse", from, time.Since(from))
	plant.Stop()
}
