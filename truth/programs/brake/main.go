// Brake plants waiting in a loop: goroutines that spin with Gosched, with a select that has a default, with very short sleeps, on
// an atomic; or that hog a P under a lock to the thread. "blocked" is harmless: the same wait on a channel.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type gate struct {
	flag int32
	open chan struct{}
}

// look is what a turn of the loop costs.
//
//go:noinline
func (g *gate) look() (open bool) {
	for i := 0; i < 15000; i++ {
		open = atomic.LoadInt32(&g.flag) != 0
	}
	return open
}

// spin gives way again and again.
func (g *gate) spin() {
	for !g.look() {
		runtime.Gosched()
	}
}

// probe looks into the channel, gives way, looks again.
func (g *gate) probe() {
	for {
		select {
		case <-g.open:
			return
		default:
			g.look()
			runtime.Gosched()
		}
	}
}

// burn looks at the flag without giving way, with calls in the loop.
func (g *gate) burn() {
	for g.closed() {
	}
}

//go:noinline
func (g *gate) closed() bool { return atomic.LoadInt32(&g.flag) == 0 }

// wait does it right.
func (g *gate) wait() { <-g.open }

// answer is what everybody else wants: short work, woken all the time.
func answer(requests <-chan time.Time, worst *int64, wg *sync.WaitGroup) {
	defer wg.Done()
	for sent := range requests {
		if late := int64(time.Since(sent)); late > atomic.LoadInt64(worst) {
			atomic.StoreInt64(worst, late)
		}
		plant.Burn(30 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	g := &gate{open: make(chan struct{})}
	requests := make(chan time.Time, 64)
	var worst int64
	var wg, waiters sync.WaitGroup
	plant.Start()
	from := time.Now()
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go answer(requests, &worst, &wg)
	}
	who, f, n := "", g.wait, 40
	switch plant.Mode() {
	case "gosched":
		who, f, n = "main.(*gate).spin", g.spin, 2000
	case "select":
		who, f, n = "main.(*gate).probe", g.probe, 2000
	case "burn":
		who, f, n = "main.(*gate).burn", g.burn, 12
	}
	for i := 0; i < n; i++ {
		waiters.Add(1)
		go func() {
			defer waiters.Done()
			f()
		}()
	}
	for time.Since(from) < plant.Span() {
		requests <- time.Now()
		time.Sleep(time.Millisecond)
	}
	atomic.StoreInt32(&g.flag, 1)
	close(g.open)
	waiters.Wait()
	close(requests)
	wg.Wait()
	plant.Fault("spin", who, from, time.Since(from), "worst_ms", float64(worst)/1e6)
	plant.Stop()
}
