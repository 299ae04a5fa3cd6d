// Tardy plants collections that can't end: one goroutine begins, while marking goes on, what can't be preempted, and marking is over
// long before. "copy" copies memory, "loop" needs asyncpreemptoff=1.
package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

type entry struct {
	next *entry
	data [4]*int
}

type ledger struct {
	live        [64]*entry
	from, to    []byte
	marking     int32
	begun, over int64
	sum         uint64
}

// balance copies large blocks.
func (l *ledger) balance() {
	for i := 0; i < 3; i++ {
		copy(l.to, l.from)
	}
}

// sweep computes without calls.
func (l *ledger) sweep() {
	s := l.sum
	for i := uint64(0); i < 400000000; i++ {
		s = s*31 + i
	}
	l.sum = s
}

func (l *ledger) grow(n int) {
	var wg sync.WaitGroup
	for i := range l.live {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for k := 0; k < n/len(l.live); k++ {
				l.live[i] = &entry{next: l.live[i]}
			}
		}(i)
	}
	wg.Wait()
}

// work waits until a collection has begun, and then is deaf.
func (l *ledger) work(f func(), wg *sync.WaitGroup) {
	defer wg.Done()
	for atomic.LoadInt32(&l.marking) == 0 {
		time.Sleep(200 * time.Microsecond)
	}
	time.Sleep(12 * time.Millisecond) // its stack has been scanned
	atomic.StoreInt64(&l.begun, time.Now().UnixNano())
	f()
	atomic.StoreInt64(&l.over, time.Now().UnixNano())
}

func main() {
	plant.Setup()
	l := &ledger{from: plant.Touched(1 << 30), to: plant.Touched(1 << 30)}
	l.grow(300000)
	runtime.GC()
	plant.Start()
	for round, found := 0, 0; round < 8 && found < 3; round++ {
		var wg sync.WaitGroup
		f, who := l.balance, "main.(*ledger).balance"
		if plant.Mode() == "loop" {
			f, who = l.sweep, "main.(*ledger).sweep"
		}
		wg.Add(1)
		go l.work(f, &wg)
		time.Sleep(20 * time.Millisecond)
		atomic.StoreInt32(&l.marking, 1)
		runtime.GC()
		over := time.Now()
		wg.Wait()
		atomic.StoreInt32(&l.marking, 0)
		// Else marking was over before it began, or still had work when it was done.
		if late := over.Sub(time.Unix(0, l.over)); late > 0 && late < 15*time.Millisecond {
			plant.Fault("late", who, time.Unix(0, l.begun), time.Duration(l.over-l.begun))
			found++
		}
		plant.Nap(30)
	}
	plant.Stop()
}
