// Stopkinds asks for each kind of stop-the-world a known number of times, and for what is taken for one but is none, while two
// goroutines compute and two sleep. It writes the trace to the file named first, and to standard output how often it did what.
// For Go 1.9 and later: `go build main.go`; tests/test_stop_kinds.py reads what was recorded.
package main

import (
	"bytes"
	"encoding/json"
	"io/ioutil"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	over int32
	sink []byte
	sum  uint64
)

func busy() {
	for atomic.LoadInt32(&over) == 0 {
		for i := 0; i < 20000; i++ {
			sum += uint64(i)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func repeat(n int, f func()) {
	for i := 0; i < n; i++ {
		f()
		time.Sleep(2 * time.Millisecond)
	}
}

func main() {
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(-1) // collections only when asked for
	heap, err := ioutil.TempFile("", "heap")
	must(err)
	os.Remove(heap.Name())
	stacks := make([]byte, 64<<10)
	f, err := os.Create(os.Args[1])
	must(err)
	must(trace.Start(f))
	for i := 0; i < 2; i++ {
		go busy()
	}
	time.Sleep(5 * time.Millisecond)

	did := map[string]int{}
	do := func(what string, n int, f func()) { did[what] = n; repeat(n, f) }
	do("ReadMemStats", 7, func() { var m runtime.MemStats; runtime.ReadMemStats(&m) })
	do("GOMAXPROCS", 4, func() { runtime.GOMAXPROCS(5 - runtime.GOMAXPROCS(0)) })
	do("GOMAXPROCS(0)", 3, func() { runtime.GOMAXPROCS(0) })
	do("Stack(all)", 5, func() { runtime.Stack(stacks, true) })
	do("Stack", 3, func() { runtime.Stack(stacks, false) })
	do("goroutine profile", 6, func() { pprof.Lookup("goroutine").WriteTo(ioutil.Discard, 0) })
	do("goroutine profile as text", 2, func() { pprof.Lookup("goroutine").WriteTo(ioutil.Discard, 2) })
	do("GoroutineProfile", 2, func() { runtime.GoroutineProfile(make([]runtime.StackRecord, 100)) })
	do("heap profile", 2, func() { pprof.Lookup("heap").WriteTo(ioutil.Discard, 0) })
	do("WriteHeapDump", 2, func() { debug.WriteHeapDump(heap.Fd()) })
	do("GC", 3, runtime.GC)
	do("FreeOSMemory", 2, debug.FreeOSMemory)
	do("SetGCPercent", 3, func() { debug.SetGCPercent(-1) })
	do("ReadGCStats", 2, func() { debug.ReadGCStats(new(debug.GCStats)) })
	do("SetBlockProfileRate", 2, func() { runtime.SetBlockProfileRate(0) })
	do("CPU profile", 2, func() {
		must(pprof.StartCPUProfile(new(bytes.Buffer)))
		time.Sleep(30 * time.Millisecond)
		pprof.StopCPUProfile()
	})
	do("AllocsPerRun", 2, func() { testing.AllocsPerRun(3, func() { sink = make([]byte, 100) }) })
	did["AllThreadsSyscall"] = 0
	repeat(4, func() { // without cgo; Go 1.16 and later
		if syscall.Setgid(syscall.Getgid()) == nil {
			did["AllThreadsSyscall"]++
		}
	})
	atomic.StoreInt32(&over, 1)
	trace.Stop()
	must(f.Close())
	text, err := json.Marshal(map[string]interface{}{"go": runtime.Version(), "did": did})
	must(err)
	os.Stdout.Write(append(text, '\n'))
}
