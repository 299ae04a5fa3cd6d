// Idlepool is harmless: many workers wait for the few jobs there are; mode cond lets them wait for a sync.Cond.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type bench struct {
	sync.Mutex
	work   *sync.Cond
	jobs   []int
	closed bool
}

func (b *bench) take() (int, bool) {
	b.Lock()
	defer b.Unlock()
	for len(b.jobs) == 0 && !b.closed {
		b.work.Wait()
	}
	if b.closed {
		return 0, false
	}
	job := b.jobs[0]
	b.jobs = b.jobs[1:]
	return job, true
}

func (b *bench) sit(wg *sync.WaitGroup) {
	defer wg.Done()
	for {
		if _, ok := b.take(); !ok {
			return
		}
		plant.Burn(150 * time.Microsecond)
	}
}

func (b *bench) put(job int) {
	b.Lock()
	b.jobs = append(b.jobs, job)
	b.Unlock()
	b.work.Signal()
}

func await(jobs chan int, wg *sync.WaitGroup) {
	defer wg.Done()
	for range jobs {
		plant.Burn(150 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	b := &bench{}
	b.work = sync.NewCond(b)
	jobs := make(chan int)
	var wg sync.WaitGroup
	plant.Start()
	for i := 0; i < 150; i++ {
		wg.Add(1)
		if plant.Mode() == "cond" {
			go b.sit(&wg)
		} else {
			go await(jobs, &wg)
		}
	}
	for end, i := time.Now().Add(plant.Span()), 0; time.Now().Before(end); i++ {
		if plant.Mode() == "cond" {
			b.put(i)
		} else {
			jobs <- i
		}
		plant.Nap(4)
	}
	plant.Stop()
	close(jobs)
	b.Lock()
	b.closed = true
	b.Unlock()
	b.work.Broadcast()
	wg.Wait()
}
