// Pooled plants a pool that never gets anything back: every request makes a new big object and starts a swarm of goroutines.
// Mode kept is harmless: objects are put back, and one goroutine does all parts.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type sheet struct {
	cells [384 << 10]byte
	rows  []*[32]byte
}

var sheets = sync.Pool{New: func() any { return new(sheet) }}

func fill(s *sheet, part int) {
	cells := s.cells[part*8192:][:8192]
	for i := range cells {
		cells[i] = byte(part)
	}
}

type desk struct{}

//go:noinline
func (desk) render() {
	s := sheets.Get().(*sheet)
	var wg sync.WaitGroup
	for part := 0; part < 40; part++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			fill(s, part)
		}()
	}
	wg.Wait()
}

//go:noinline
func (desk) reuse() {
	s := sheets.Get().(*sheet)
	for part := 0; part < 40; part++ {
		fill(s, part)
	}
	sheets.Put(s)
}

func main() {
	plant.Setup()
	var d desk
	work := d.render
	if plant.Mode() == "kept" {
		work = d.reuse
	}
	var wg sync.WaitGroup
	plant.Start()
	from := time.Now()
	end := from.Add(plant.Span())
	for i := 0; i < 3; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) {
				work()
				time.Sleep(3 * time.Millisecond)
			}
		}()
	}
	wg.Wait()
	if plant.Mode() != "kept" {
		plant.Fault("pool", "main.desk.render", from, time.Since(from))
	}
	plant.Stop()
}
