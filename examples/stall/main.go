// Stall is a small service with one bad habit: it rebuilds a big cache with a single copy. The runtime can't preempt a copy, so
// a garbage collection that starts meanwhile has to wait for it with the world half stopped, and every request waits along.
//
//	go run . ../traces/stall.trace
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync/atomic"
	"time"
)

const cacheBytes = 768 << 20

var served atomic.Int64

// serve stands for a request loop: a little work, a little waiting.
func serve(stop <-chan struct{}) {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			served.Add(1)
		}
	}
}

// rebuildCache is the culprit: one memmove of hundreds of megabytes.
func rebuildCache(next, current []byte) {
	copy(next, current)
}

func record(path string) (stop func(), err error) {
	// CPU samples go into the trace while a CPU profile runs: they show where the culprit was.
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		return nil, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := trace.Start(file); err != nil {
		return nil, err
	}
	return func() {
		trace.Stop()
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}

func run(path string) error {
	runtime.GOMAXPROCS(4)
	current, next := make([]byte, cacheBytes), make([]byte, cacheBytes)
	for i := 0; i < cacheBytes; i += 4096 { // touch the pages before, so that no page fault is in the picture
		current[i], next[i] = 1, 1
	}
	stopRecording, err := record(path)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	for i := 0; i < 2; i++ {
		go serve(done)
	}
	for i := 0; i < 3; i++ {
		time.Sleep(60 * time.Millisecond)
		rebuilt := make(chan struct{})
		go func() {
			rebuildCache(next, current)
			close(rebuilt)
		}()
		time.Sleep(5 * time.Millisecond)
		runtime.GC()
		<-rebuilt
	}
	close(done)
	stopRecording()
	fmt.Printf("%d requests served, trace in %s\n", served.Load(), path)
	return nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: stall TRACE")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
