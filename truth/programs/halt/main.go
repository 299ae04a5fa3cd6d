// Halt plants stops of the world: long ones, held up by code that can't be preempted, and many short ones. The mode says which.
// "metrics" and "rare" are harmless.
package main

import (
	"bytes"
	"io/ioutil"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type engine struct {
	block, other []byte
	text         string
	stop         int32
	busyFrom     int64
	busyUntil    int64
	wg           sync.WaitGroup
}

func (e *engine) live() bool { return atomic.LoadInt32(&e.stop) == 0 }

// relocate copies a large block.
func (e *engine) relocate() { copy(e.other, e.block) }

// verify compares two large blocks.
func (e *engine) verify() bool { return bytes.Equal(e.block, e.other) }

// search looks for what is not there.
func (e *engine) search() int { return bytes.IndexByte(e.block, 0xfe) }

// tally counts in a large text.
func (e *engine) tally() int { return strings.Count(e.text, "\x01") }

// enlarge grows a slice, which copies it.
func (e *engine) enlarge() int {
	more := append(e.block[:len(e.block):len(e.block)], 1)
	return len(more)
}

func (e *engine) tick() {
	defer e.wg.Done()
	for e.live() {
		time.Sleep(time.Millisecond)
		plant.Burn(20 * time.Microsecond)
	}
}

// heavy does it again and again, with pauses.
func (e *engine) heavy(f func(), n int) {
	defer e.wg.Done()
	for e.live() {
		atomic.StoreInt64(&e.busyFrom, time.Now().UnixNano())
		for i := 0; i < n; i++ {
			f()
		}
		atomic.StoreInt64(&e.busyUntil, time.Now().UnixNano())
		atomic.StoreInt64(&e.busyFrom, 0)
		time.Sleep(25 * time.Millisecond)
	}
}

// during waits until the heavy work has been going on for some ms, then asks for a stop.
func (e *engine) during(ask func(), who, reason string) {
	for i := 0; i < 4; i++ {
		for {
			from := atomic.LoadInt64(&e.busyFrom)
			if from != 0 && time.Now().UnixNano()-from > 2e6 {
				break
			}
			time.Sleep(200 * time.Microsecond)
		}
		at := time.Now()
		ask()
		for atomic.LoadInt64(&e.busyFrom) != 0 {
			time.Sleep(200 * time.Microsecond)
		}
		plant.Fault("held", who, at, time.Duration(atomic.LoadInt64(&e.busyUntil)-at.UnixNano()), "reason", reason)
		plant.Nap(60)
	}
}

var memStats runtime.MemStats

func readMemory() { runtime.ReadMemStats(&memStats) }

func collect() { runtime.GC() }

func resize() { runtime.GOMAXPROCS(runtime.GOMAXPROCS(0)%8 + 1); runtime.GOMAXPROCS(plant.Procs()) }

func allStacks() {
	b := make([]byte, 1<<20)
	runtime.Stack(b, true)
}

func profileGoroutines() { pprof.Lookup("goroutine").WriteTo(ioutil.Discard, 1) }

func freeMemory() { debug.FreeOSMemory() }

func dumpHeap() {
	f, err := ioutil.TempFile("", "heap")
	plant.Check(err)
	debug.WriteHeapDump(f.Fd())
	f.Close()
	os.Remove(f.Name())
}

// often asks for stops all the time.
func often(who string, pause time.Duration, ask func()) {
	from, n := time.Now(), 0
	for time.Since(from) < 2*plant.Span() {
		ask()
		n++
		if pause > 0 {
			time.Sleep(pause)
		}
	}
	plant.Fault("often", who, from, time.Since(from), "stops", n)
}

func main() {
	plant.Setup()
	e := &engine{}
	const size = 192 << 20
	switch plant.Mode() {
	case "copy":
		e.block, e.other = plant.Touched(3*size), plant.Touched(3*size)
	case "equal":
		e.block, e.other = plant.Touched(3*size), plant.Touched(3*size)
	case "index", "append":
		e.block = plant.Touched(size)
	case "count":
		e.text = string(plant.Touched(5 * size))
	}
	plant.Start()
	e.wg.Add(1)
	go e.tick()
	busy := func(f func(), n int) {
		e.wg.Add(1)
		go e.heavy(f, n)
	}
	switch plant.Mode() {
	case "copy":
		busy(e.relocate, 1)
		e.during(collect, "main.(*engine).relocate", "GC")
	case "equal":
		busy(func() { e.verify() }, 1)
		e.during(readMemory, "main.(*engine).verify", "read mem stats")
	case "index":
		busy(func() { e.search() }, 2)
		e.during(resize, "main.(*engine).search", "GOMAXPROCS")
	case "count":
		busy(func() { e.tally() }, 1)
		e.during(allStacks, "main.(*engine).tally", "all goroutine stack trace")
	case "append":
		busy(func() { e.enlarge() }, 1)
		e.during(profileGoroutines, "main.(*engine).enlarge", "goroutine profile")
	case "memstats":
		often("main.readMemory", 0, readMemory)
	case "procs":
		often("main.resize", 300*time.Microsecond, resize)
	case "stacks":
		often("main.allStacks", 0, allStacks)
	case "goroutines":
		often("main.profileGoroutines", 0, profileGoroutines)
	case "free":
		often("main.freeMemory", 0, freeMemory)
	case "dump":
		often("main.dumpHeap", 5*time.Millisecond, dumpHeap)
	case "metrics":
		often("", 100*time.Millisecond, readMemory)
	case "rare":
		often("", 200*time.Millisecond, func() { allStacks(); collect() })
	}
	atomic.StoreInt32(&e.stop, 1)
	e.wg.Wait()
	plant.Stop()
}
