// recordings: a process traces itself three times, one after another, and does something else in between. A lock is held for long in the first and in the
// third; it waits for one channel all the time. Recorded what is in tests/data/recordings, with Go 1.11 to 1.21.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/trace"
	"sync"
	"time"
)

var (
	out   = flag.String("out", ".", "folder")
	mu    sync.Mutex
	never = make(chan int)
)

//go:noinline
func holdFirst(d time.Duration) {
	mu.Lock()
	time.Sleep(d)
	mu.Unlock()
}

//go:noinline
func holdLast(d time.Duration) {
	mu.Lock()
	time.Sleep(d)
	mu.Unlock()
}

func waiter(done chan int) {
	mu.Lock()
	mu.Unlock()
	done <- 1
}

func patient() {
	<-never
}

func stall(hold func(time.Duration), d time.Duration) {
	done := make(chan int)
	go hold(d)
	time.Sleep(5 * time.Millisecond)
	for i := 0; i < 6; i++ {
		go waiter(done)
	}
	for i := 0; i < 6; i++ {
		<-done
	}
}

func record(name string, work func()) {
	f, err := os.Create(filepath.Join(*out, name+".trace"))
	if err == nil {
		err = trace.Start(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	work()
	trace.Stop()
	f.Close()
}

func main() {
	flag.Parse()
	go patient()
	time.Sleep(10 * time.Millisecond)
	record("a", func() { stall(holdFirst, 120*time.Millisecond) })
	time.Sleep(300 * time.Millisecond)
	record("b", func() { time.Sleep(50 * time.Millisecond) })
	time.Sleep(40 * time.Millisecond)
	record("c", func() { stall(holdLast, 180*time.Millisecond) })
}
