// Yields plants starvation by goroutines that only yield, again and again: each takes little, all together the whole line.
package main

import (
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

var over atomic.Bool

type poller struct{ looks int }

func (p *poller) lookAgain() {
	for !over.Load() {
		plant.Burn(40 * time.Microsecond)
		p.looks++
		runtime.Gosched()
	}
}

func listen(bell *os.File, rung *atomic.Int64) {
	var b [1]byte
	for {
		if _, err := bell.Read(b[:]); err != nil {
			return
		}
		at := time.Now()
		from := time.Unix(0, rung.Load())
		if late := at.Sub(from); late > 15*time.Millisecond {
			plant.Fault("ring", "main.(*poller).lookAgain", from, late, "victim", "main.listen")
		}
		runtime.Gosched()
		if late := time.Since(at); late > 15*time.Millisecond {
			plant.Fault("yields", "main.(*poller).lookAgain", at, late, "victim", "main.listen")
		}
	}
}

func main() {
	plant.Setup()
	in, out, err := os.Pipe()
	plant.Check(err)
	var rung atomic.Int64
	plant.Start()
	go listen(in, &rung)
	for i := 0; i < 2500*min(plant.Procs(), 2); i++ {
		go (&poller{}).lookAgain()
	}
	for end := time.Now().Add(plant.Span() + 500*time.Millisecond); time.Now().Before(end); {
		plant.Nap(80)
		rung.Store(time.Now().UnixNano())
		out.Write([]byte{1})
	}
	over.Store(true)
	plant.Nap(50)
	plant.Stop()
}
