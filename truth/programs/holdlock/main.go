// Holdlock plants a lock that is held for long, by one who sleeps, while two others wait for it.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type registry struct {
	sync.RWMutex
	names map[string]int
}

func (r *registry) rebuild(d time.Duration) {
	r.Lock()
	defer r.Unlock()
	from := time.Now()
	time.Sleep(d)
	plant.Fault("held", "main.(*registry).rebuild", from, time.Since(from), "while", "sleep")
	r.names = map[string]int{"a": 1}
}

func (r *registry) lookup(name string, got chan int) {
	from := time.Now()
	r.RLock()
	n := r.names[name]
	r.RUnlock()
	if late := time.Since(from); late > 20*time.Millisecond {
		plant.Fault("waited", "main.(*registry).lookup", from, late)
	}
	got <- n
}

func main() {
	plant.Setup()
	r := &registry{names: map[string]int{}}
	got := make(chan int, 2)
	plant.Start()
	for round := 0; round < 3; round++ {
		go r.rebuild(160 * time.Millisecond)
		plant.Nap(10)
		go r.lookup("a", got)
		go r.lookup("b", got)
		<-got
		<-got
		plant.Nap(50)
	}
	plant.Stop()
}
