// Errands is a small service that is idle most of the time: clients ask, workers answer, everybody rests between. The driver
// stops and continues the process from outside, or gives it the CPU only part of the time; or leaves it alone.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type errand struct {
	size time.Duration
	done chan bool
}

func work(errands chan errand, wg *sync.WaitGroup) {
	defer wg.Done()
	for e := range errands {
		plant.Burn(e.size)
		e.done <- true
	}
}

func ask(errands chan errand, rest time.Duration, until time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for time.Now().Before(until) {
		e := errand{400 * time.Microsecond, make(chan bool, 1)}
		errands <- e
		<-e.done
		time.Sleep(rest)
	}
}

func main() {
	plant.Setup()
	plant.Start()
	from := time.Now()
	until := from.Add(plant.Span() + 800*time.Millisecond)
	errands := make(chan errand, 16)
	var workers, clients sync.WaitGroup
	for i := 0; i < 3; i++ {
		workers.Add(1)
		go work(errands, &workers)
	}
	for i := 0; i < 8; i++ {
		clients.Add(1)
		go ask(errands, time.Duration(3+i)*time.Millisecond, until, &clients)
	}
	clients.Wait()
	close(errands)
	workers.Wait()
	if plant.Mode() == "ration" {
		plant.Fault("rationed", "", from, time.Since(from))
	}
	plant.Stop()
}
