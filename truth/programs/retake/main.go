// Retake plants system calls that keep their P's while work waits, until the runtime takes the P's back.
package main

import (
	"sync"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

func flush(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&ts, nil)
}

func journal(until time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for time.Now().Before(until) {
		plant.Burn(20 * time.Microsecond)
		flush(9 * time.Millisecond)
	}
}

func reply(requests chan time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for range requests {
		plant.Burn(30 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	var wg, served sync.WaitGroup
	requests := make(chan time.Time, 256)
	plant.Start()
	from := time.Now()
	until := from.Add(plant.Span() + 500*time.Millisecond)
	for i := 0; i < 2*plant.Procs(); i++ {
		wg.Add(1)
		go journal(until, &wg)
	}
	for i := 0; i < 4; i++ {
		served.Add(1)
		go reply(requests, &served)
	}
	for time.Now().Before(until) {
		for i := 0; i < 4; i++ {
			requests <- time.Now()
		}
		flush(7 * time.Millisecond)
	}
	wg.Wait()
	close(requests)
	served.Wait()
	plant.Fault("retake", "main.journal", from, time.Since(from), "leaf", "main.flush")
	plant.Stop()
}
