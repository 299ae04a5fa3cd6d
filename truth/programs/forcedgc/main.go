// Forcedgc plants starvation by the collector itself (run it with GODEBUG=gcstoptheworld=1): user goroutines may not
// run while the heap is marked.
package main

import (
	"runtime"
	"time"

	"example.org/planted/internal/plant"
)

type leaf struct {
	up, next *leaf
	text     string
}

func hang(n int) []*leaf {
	all := make([]*leaf, n)
	for i := range all {
		all[i] = &leaf{text: "x"}
		if i > 0 {
			all[i].up, all[i].next = all[i/2], all[(i*7919)%i]
		}
	}
	return all
}

func pulse(beat time.Duration, quit chan struct{}) {
	for {
		select {
		case <-quit:
			return
		default:
		}
		from := time.Now()
		time.Sleep(beat)
		if late := time.Since(from) - beat; late > 30*time.Millisecond {
			plant.Fault("pulse", "", from.Add(beat), late, "victim", "main.pulse")
		}
		plant.Burn(300 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	all := hang(4 << 20)
	quit := make(chan struct{})
	plant.Start()
	for i := 0; i < 3; i++ {
		go pulse(2*time.Millisecond, quit)
	}
	for round := 0; round < 3; round++ {
		plant.Nap(60)
		from := time.Now()
		runtime.GC()
		plant.Fault("forced", "main.main", from, time.Since(from))
	}
	close(quit)
	plant.Nap(20)
	plant.Stop()
	runtime.KeepAlive(all)
}
