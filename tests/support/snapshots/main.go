// snapshots: a flight recorder takes snapshots of one process: two that overlap, two more after a gap, and one of a second recording. A lock is
// held for long before the first and before the third. Recorded what is in tests/data/snapshots; the recorder of Go 1.24 and older is that of
// golang.org/x/exp/trace (in 2024's version).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

var (
	out = flag.String("out", ".", "folder")
	mu  sync.Mutex
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

func waiter(done chan time.Time) {
	mu.Lock()
	mu.Unlock()
	done <- time.Now()
}

func chatter(quit chan struct{}) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(25 * time.Millisecond):
		}
	}
}

type fact struct {
	What     string
	From, To time.Time
	Ms       float64
}

func stall(hold func(time.Duration), d time.Duration, name string) fact {
	done := make(chan time.Time)
	go hold(d)
	time.Sleep(10 * time.Millisecond)
	from := time.Now()
	for i := 0; i < 6; i++ {
		go waiter(done)
	}
	var to time.Time
	for i := 0; i < 6; i++ {
		to = <-done
	}
	return fact{name, from, to, float64(to.Sub(from)) / 1e6}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func snapshot(name string) {
	f, err := os.Create(filepath.Join(*out, name+".trace"))
	must(err)
	must(write(f))
	must(f.Close())
}

func main() {
	flag.Parse()
	quit := make(chan struct{})
	must(start())
	for i := 0; i < 3; i++ {
		go chatter(quit)
	}
	var facts []fact
	time.Sleep(1500 * time.Millisecond)
	facts = append(facts, stall(holdFirst, 150*time.Millisecond, "main.holdFirst"))
	snapshot("a")
	time.Sleep(700 * time.Millisecond)
	snapshot("b")
	time.Sleep(5500 * time.Millisecond)
	facts = append(facts, stall(holdLast, 220*time.Millisecond, "main.holdLast"))
	snapshot("c")
	time.Sleep(300 * time.Millisecond)
	snapshot("d")
	stop()
	time.Sleep(1200 * time.Millisecond)
	must(start())
	time.Sleep(300 * time.Millisecond)
	snapshot("e")
	stop()
	close(quit)
	f, err := os.Create(filepath.Join(*out, "truth.json"))
	must(err)
	must(json.NewEncoder(f).Encode(facts))
	must(f.Close())
}
