// Retake plants system calls that keep their P while work waits, until the runtime takes the P back. That is slow only
// when the monitor has gone to its longest sleep, so each call follows a stretch in which nothing happened.
package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

var over atomic.Bool

func flush(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&ts, nil)
}

func acknowledge(made time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	if late := time.Since(made); late > 6*time.Millisecond {
		plant.Fault("retake", "main.flush", made, late, "victim", "main.acknowledge")
	}
}

func journal(rounds int) {
	var wg sync.WaitGroup
	for i := 0; i < rounds; i++ {
		plant.Burn(70 * time.Millisecond)
		wg.Add(1)
		go acknowledge(time.Now(), &wg)
		flush(25 * time.Millisecond)
		wg.Wait()
	}
}

// occupy keeps the other P's from helping.
func occupy() {
	for !over.Load() {
		plant.Burn(5 * time.Millisecond)
	}
}

func main() {
	plant.Setup()
	plant.Start()
	for i := 1; i < plant.Procs(); i++ {
		go occupy()
	}
	journal(12)
	over.Store(true)
	plant.Stop()
}
