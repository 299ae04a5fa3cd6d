// Pileup plants goroutines that stay: one more every few milliseconds, on a channel, in a select, or at a lock.
package main

import (
	"context"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type feed struct {
	sync.Mutex
	news  chan string
	limit chan int
	wake  *sync.Cond
}

// follow waits for news that nobody sends and nobody ends.
func (f *feed) follow() {
	for range f.news {
		plant.Burn(20 * time.Microsecond)
	}
}

func (f *feed) watch(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-f.news:
	}
}

func (f *feed) report(to chan<- int) {
	plant.Burn(30 * time.Microsecond)
	to <- 1
}

func (f *feed) count() {
	f.Lock()
	plant.Burn(20 * time.Microsecond)
	f.Unlock()
}

// forget returns without unlocking.
func (f *feed) forget() {
	f.Lock()
	plant.Burn(20 * time.Microsecond)
}

// serve is a request: most get their answer, each fifth gives up before it comes.
func (f *feed) serve(n int) {
	switch plant.Mode() {
	case "receive":
		go f.follow()
	case "select":
		go f.watch(context.TODO())
	case "lock":
		go f.count()
	case "timeout":
		answer := make(chan int)
		go f.report(answer)
		if n%5 != 0 {
			plant.Nap(2)
			<-answer
		}
	}
}

func main() {
	plant.Setup()
	f := &feed{news: make(chan string)}
	plant.Start()
	if plant.Mode() == "lock" {
		f.forget()
	}
	from := time.Now()
	n := 0
	for end := from.Add(plant.Span() + 500*time.Millisecond); time.Now().Before(end); n++ {
		f.serve(n)
		plant.Nap(6)
	}
	blocked := map[string]string{"receive": "main.(*feed).follow", "select": "main.(*feed).watch", "lock": "main.(*feed).count", "timeout": "main.(*feed).report"}
	plant.Fault("leak", blocked[plant.Mode()], from, time.Since(from), "count", n)
	plant.Stop()
}
