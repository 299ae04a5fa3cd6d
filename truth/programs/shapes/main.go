// Shapes plants stops of the world that wait for code which can't be preempted, reached in ways that a stack shows differently: by a
// method value, a closure in a closure, an inlined helper, an interface in a generic function, a recursion deeper than a trace's
// stacks, a finalizer, a timer's function, sort.Slice, sync.Once, reflect, on a locked thread, with a crowd beside it.
package main

import (
	"bytes"
	"reflect"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type store struct {
	block, other []byte
	from         int64 // since when the heavy work goes on, UnixNano; 0: it doesn't
	until        int64
	same         bool
	sum          uint64
}

// begins and ended bracket the heavy work, which can't be preempted.
func (s *store) begins() { atomic.StoreInt64(&s.from, time.Now().UnixNano()) }
func (s *store) ended() {
	atomic.StoreInt64(&s.until, time.Now().UnixNano())
	atomic.StoreInt64(&s.from, 0)
}

func (s *store) compare() {
	s.begins()
	for i := 0; i < 3; i++ {
		s.same = bytes.Equal(s.block, s.other) || s.same
	}
	for i := 0; i < 20<<20; i++ { // here it can be interrupted
		s.sum += uint64(s.block[i])
	}
	s.ended()
}

// inlined has no frame of its own in machine code.
func inlined(a, b []byte) bool { return bytes.Equal(a, b) }

func (s *store) audit() {
	s.begins()
	s.same = inlined(s.block, s.other)
	s.same = inlined(s.other, s.block) || s.same
	s.same = inlined(s.block, s.other) || s.same
	for i := 0; i < 20<<20; i++ {
		s.sum += uint64(s.block[i])
	}
	s.ended()
}

//go:noinline
func (s *store) descend(depth int) int {
	if depth == 0 {
		s.compare()
		return 0
	}
	return s.descend(depth-1) + 1
}

type checker interface{ check() }

type verifier struct{ s *store }

func (v verifier) check() { v.s.compare() }

func each[T checker](all []T) {
	for _, c := range all {
		c.check()
	}
}

type handle struct{ s *store }

var finalized = make(chan struct{}, 1)

func release(h *handle) {
	h.s.compare()
	finalized <- struct{}{}
}

// Reflected is called by its name.
func (s *store) Reflected() { s.compare() }

// ask waits for the heavy work to be 2 ms old and stops the world.
func (s *store) ask(want string) {
	for {
		from := atomic.LoadInt64(&s.from)
		if from != 0 && time.Now().UnixNano()-from > 2e6 {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	at := time.Now()
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	for atomic.LoadInt64(&s.from) != 0 {
		time.Sleep(time.Millisecond)
	}
	plant.Fault("stw", want, at, time.Duration(atomic.LoadInt64(&s.until)-at.UnixNano()), "reason", "read mem stats", "asker", "main.(*store).ask")
	plant.Nap(40)
}

func main() {
	plant.Setup()
	const size = 256 << 20
	s := &store{block: plant.Touched(size), other: plant.Touched(size)}
	plant.Start()
	var wg sync.WaitGroup
	run := func(want string, f func()) {
		for i := 0; i < 3; i++ {
			wg.Add(1)
			go func() { defer wg.Done(); f() }()
			s.ask(want)
			wg.Wait()
		}
	}
	switch plant.Mode() {
	case "methodvalue":
		f := s.compare
		for i := 0; i < 3; i++ {
			go f()
			s.ask("main.(*store).compare")
		}
	case "closure":
		outer := func(f func()) { func() { f() }() }
		run("main.(*store).compare", func() { outer(func() { s.compare() }) })
	case "inlined":
		run("main.(*store).audit", s.audit)
	case "generic":
		run("main.(*store).compare", func() { each([]verifier{{s}}) })
	case "deep":
		run("main.(*store).compare", func() { s.descend(400) })
	case "finalizer":
		for i := 0; i < 3; i++ {
			runtime.SetFinalizer(&handle{s}, release)
			runtime.GC()
			s.ask("main.(*store).compare")
			<-finalized
		}
	case "timer":
		for i := 0; i < 3; i++ {
			time.AfterFunc(time.Millisecond, s.compare)
			s.ask("main.(*store).compare")
		}
	case "sort":
		keys := []int{2, 1}
		run("main.(*store).compare", func() {
			sort.Slice(keys, func(i, j int) bool { s.compare(); return keys[i] < keys[j] })
		})
	case "once":
		run("main.(*store).compare", func() { new(sync.Once).Do(s.compare) })
	case "reflect":
		run("main.(*store).compare", func() { reflect.ValueOf(s).MethodByName("Reflected").Call(nil) })
	case "locked":
		run("main.(*store).compare", func() { runtime.LockOSThread(); defer runtime.UnlockOSThread(); s.compare() })
	case "crowd":
		stop := make(chan struct{})
		for i := 0; i < 3000; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				t := time.NewTicker(50 * time.Millisecond)
				defer t.Stop()
				for {
					select {
					case <-t.C:
					case <-stop:
						return
					}
				}
			}()
		}
		for i := 0; i < 3; i++ {
			wg.Add(1)
			go func() { defer wg.Done(); s.compare() }()
			s.ask("main.(*store).compare")
		}
		close(stop)
		wg.Wait()
	}
	plant.Stop()
}
