// Visitors is harmless: goroutines that come all the time and wait, but go again. The mode says for what they wait.
package main

import (
	"context"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type hall struct {
	sync.Mutex
	guests map[chan string]bool
}

func (h *hall) enter() chan string {
	c := make(chan string, 1)
	h.Lock()
	h.guests[c] = true
	h.Unlock()
	return c
}

func (h *hall) leave(c chan string) {
	h.Lock()
	delete(h.guests, c)
	h.Unlock()
}

// listen waits for a word, for as long as the guest stays.
func (h *hall) listen(ctx context.Context) {
	c := h.enter()
	defer h.leave(c)
	for {
		select {
		case <-c:
			plant.Burn(20 * time.Microsecond)
		case <-ctx.Done():
			return
		}
	}
}

// subscribers: a new one every few milliseconds; each stays a quarter of the time.
func subscribers(until time.Time) {
	h := &hall{guests: map[chan string]bool{}}
	for time.Now().Before(until) {
		ctx, cancel := context.WithTimeout(context.Background(), plant.Span()/4)
		go func() {
			defer cancel()
			h.listen(ctx)
		}()
		plant.Nap(5)
	}
}

// pool: workers are added while there is work, and then wait for more of it.
func pool(until time.Time) {
	jobs := make(chan int)
	worker := func() {
		for range jobs {
			plant.Nap(3)
		}
	}
	for i := 0; i < 30; i++ {
		go worker()
	}
	for i := 0; time.Now().Before(until); i++ {
		jobs <- i
		plant.Nap(1)
	}
}

// slowly: senders queue for a receiver that takes one after another; more come than are served.
func slowly(until time.Time) {
	desk := make(chan int)
	go func() {
		for range desk {
			plant.Nap(4)
		}
	}()
	for i := 0; time.Now().Before(until); i++ {
		go func() { desk <- i }()
		plant.Nap(3)
	}
}

// burst: a hundred at once, which get their turn one by one.
func burst(until time.Time) {
	turn := make(chan int)
	for i := 0; i < 100; i++ {
		go func() { turn <- i }()
	}
	for time.Now().Before(until) {
		<-turn
		plant.Nap(20)
	}
}

func main() {
	plant.Setup()
	plant.Start()
	until := time.Now().Add(plant.Span())
	map[string]func(time.Time){"subscribers": subscribers, "pool": pool, "slowly": slowly, "burst": burst}[plant.Mode()](until)
	plant.Stop()
}
