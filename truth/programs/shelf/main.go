// Shelf plants misuse of a sync.Pool: objects that grow, that are too large, that are put back never, that carry state and
// are made anew, in a goroutine for each. "clean" is harmless: the pool does what it is for.
package main

import (
	"bytes"
	"runtime/debug"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type scratch struct {
	buf   bytes.Buffer
	cells []*[4]uint64
	dirty bool
}

var pool = sync.Pool{New: func() interface{} { return newScratch() }}

func newScratch() *scratch {
	s := new(scratch)
	s.cells = make([]*[4]uint64, 2000)
	for i := range s.cells {
		s.cells[i] = new([4]uint64)
	}
	return s
}

// serveGrow never resets what it puts back: each use makes it larger.
func serveGrow(n int) {
	s := pool.Get().(*scratch)
	for i := 0; i < 400; i++ {
		s.cells = append(s.cells, new([4]uint64))
	}
	if len(s.cells) > 20000 {
		s.cells = append([]*[4]uint64(nil), s.cells[:2000]...)
	}
	pool.Put(s)
}

// serveForget takes from the pool and gives nothing back.
func serveForget(n int) {
	s := pool.Get().(*scratch)
	s.buf.WriteString("answer")
	plant.Burn(20 * time.Microsecond)
}

// serveState finds that the object carries another's state, and makes a new one.
func serveState(n int) {
	s := pool.Get().(*scratch)
	if s.dirty {
		s = newScratch()
	}
	s.dirty = true
	plant.Burn(20 * time.Microsecond)
	pool.Put(s)
}

// serveClean does it right.
func serveClean(n int) {
	s := pool.Get().(*scratch)
	s.buf.Reset()
	s.buf.WriteString("answer")
	plant.Burn(20 * time.Microsecond)
	pool.Put(s)
}

func main() {
	plant.Setup()
	ballast := make([]*[4]uint64, 100000)
	for i := range ballast {
		ballast[i] = new([4]uint64)
	}
	if plant.Mode() != "clean" {
		debug.SetGCPercent(10)
	}
	plant.Start()
	from := time.Now()
	who, f := "", serveClean
	switch plant.Mode() {
	case "grow":
		who, f = "main.serveGrow", serveGrow
	case "forget":
		who, f = "main.serveForget", serveForget
	case "state":
		who, f = "main.serveState", serveState
	}
	var wg sync.WaitGroup
	for n := 0; time.Since(from) < 2*plant.Span(); n++ {
		for i := 0; i < 16; i++ {
			wg.Add(1)
			go func() {
				f(n)
				wg.Done()
			}()
		}
		wg.Wait()
		if plant.Mode() == "clean" {
			time.Sleep(2 * time.Millisecond)
		}
	}
	plant.Fault("pool", who, from, time.Since(from), "ballast", len(ballast))
	plant.Stop()
}
