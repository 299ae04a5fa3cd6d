// A backlog beside collections: for a trace and the GODEBUG output of the same process.
package main

import (
	"os"
	"runtime"
	"runtime/trace"
	"sync/atomic"
	"time"
)

func grind(done *int32) {
	for i := 0; i < 8000000; i++ {
	}
	atomic.AddInt32(done, 1)
}

func main() {
	time.Sleep(150 * time.Millisecond) // the trace begins later than the program
	f, _ := os.Create(os.Args[1])
	trace.Start(f)
	runtime.GC()
	time.Sleep(40 * time.Millisecond)
	runtime.GC()
	var done int32
	for i := 0; i < 150; i++ {
		go grind(&done)
	}
	for atomic.LoadInt32(&done) < 150 {
		time.Sleep(10 * time.Millisecond)
	}
	runtime.GC()
	time.Sleep(70 * time.Millisecond)
	runtime.GC()
	time.Sleep(30 * time.Millisecond)
	trace.Stop()
	time.Sleep(150 * time.Millisecond)
	f.Close()
}
