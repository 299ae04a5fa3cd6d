// Herd plants a crowd that is woken all at once for what only one, or each in turn, can do: by closing a channel, a
// broadcast, a RWMutex. "few" is harmless: a broadcast to those who can all go on.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type ticket struct {
	mu    sync.Mutex
	more  *sync.Cond
	left  int
	spent int
}

func use(n int) {
	plant.Burn(time.Duration(n) * time.Microsecond)
}

// grab is woken whenever a ticket is there, and finds it gone most of the time.
func (t *ticket) grab(wg *sync.WaitGroup) {
	defer wg.Done()
	t.mu.Lock()
	for t.left == 0 {
		t.more.Wait()
		use(60)
	}
	t.left--
	t.mu.Unlock()
}

func (t *ticket) offer(n int) {
	for i := 0; i < n; i++ {
		time.Sleep(60 * time.Millisecond)
		t.mu.Lock()
		t.left++
		t.mu.Unlock()
		t.more.Broadcast()
	}
}

type door struct {
	open chan struct{}
	mu   sync.Mutex
	in   int
}

// enter waits for the door, then has much to do.
func (d *door) enter(wg *sync.WaitGroup) {
	defer wg.Done()
	<-d.open
	use(250)
	d.mu.Lock()
	d.in++
	d.mu.Unlock()
}

func (d *door) unlock() { close(d.open) }

func main() {
	plant.Setup()
	plant.Start()
	from := time.Now()
	var wg sync.WaitGroup
	who := "main.(*ticket).grab"
	switch plant.Mode() {
	case "broadcast":
		t := &ticket{}
		t.more = sync.NewCond(&t.mu)
		wg.Add(800)
		for i := 0; i < 800; i++ {
			go t.grab(&wg)
		}
		t.offer(10)
		t.mu.Lock()
		t.left = 1000
		t.mu.Unlock()
		t.more.Broadcast()
		wg.Wait()
	case "close":
		who = "main.(*door).enter"
		for round := 0; round < 3; round++ {
			d := &door{open: make(chan struct{})}
			wg.Add(1200)
			for i := 0; i < 1200; i++ {
				go d.enter(&wg)
			}
			plant.Nap(60)
			d.unlock()
			wg.Wait()
		}
	case "few":
		for round := 0; round < 10; round++ {
			d := &door{open: make(chan struct{})}
			wg.Add(20)
			for i := 0; i < 20; i++ {
				go d.enter(&wg)
			}
			plant.Nap(50)
			d.unlock()
			wg.Wait()
		}
	}
	plant.Fault("herd", who, from, time.Since(from))
	plant.Stop()
}
