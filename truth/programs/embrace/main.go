// Embrace plants two goroutines that each hold what the other wants, and others that queue behind them for good.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type account struct {
	sync.Mutex
	cents int
}

func transfer(from, to *account, ready *sync.WaitGroup) {
	from.Lock()
	ready.Done()
	ready.Wait()
	to.Lock()
	from.cents--
	to.cents++
	to.Unlock()
	from.Unlock()
}

func audit(a *account) {
	a.Lock()
	a.cents += 0
	a.Unlock()
}

func tick() {
	for {
		plant.Nap(5)
	}
}

func main() {
	plant.Setup()
	left, right := new(account), new(account)
	var ready sync.WaitGroup
	ready.Add(2)
	plant.Start()
	go tick()
	from := time.Now()
	go transfer(left, right, &ready)
	go transfer(right, left, &ready)
	plant.Nap(30)
	for i := 0; i < 4; i++ {
		go audit(left)
		plant.Nap(5)
	}
	time.Sleep(plant.Span())
	plant.Fault("embrace", "main.transfer", from, time.Since(from), "victim", "main.audit")
	plant.Stop()
}
