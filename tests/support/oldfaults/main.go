// Oldfaults plants two faults that an execution trace of any Go since 1.5 shows, and records it: goroutines queue for a lock whose
// holder waits on a channel, and a loop without calls keeps the world waiting for a collection.
//
//	oldfaults FILE
package main

import (
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"time"
)

var (
	mu      sync.Mutex
	results = make(chan int)
	sum     int
	sink    [][]byte
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// publish sends while it holds the lock.
func publish(i int) {
	mu.Lock()
	results <- i
	mu.Unlock()
}

func publisher(i int, done *sync.WaitGroup) {
	publish(i)
	done.Done()
}

func slowReader() {
	for i := 0; i < 8; i++ {
		time.Sleep(40 * time.Millisecond)
		sum += <-results
	}
}

func convoy() {
	var done sync.WaitGroup
	for i := 0; i < 8; i++ {
		done.Add(1)
		go publisher(i, &done)
	}
	slowReader()
	done.Wait()
}

// spin calls nothing, so before Go 1.14 it can't be preempted.
func spin(n int) int {
	x := 1
	for i := 0; i < n; i++ {
		x = x*31 + i
	}
	return x
}

func spinner(n int, out chan int) {
	out <- spin(n)
}

func stopped() {
	began := time.Now()
	spin(1 << 24)
	n := int(float64(1<<24) * float64(200*time.Millisecond) / float64(time.Since(began)+1))
	out := make(chan int)
	go spinner(n, out)
	time.Sleep(10 * time.Millisecond)
	for i := 0; i < 100; i++ {
		sink = append(sink, make([]byte, 1<<16))
	}
	runtime.GC()
	sum += <-out
}

func main() {
	runtime.GOMAXPROCS(2)
	f, err := os.Create(os.Args[1])
	check(err)
	check(trace.Start(f))
	convoy()
	stopped()
	trace.Stop()
	check(f.Close())
}
