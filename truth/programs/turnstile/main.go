// Turnstile plants a convoy: a dozen goroutines queue for one lock whose holders wait for a slow disk.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type spool struct {
	mu   sync.Mutex
	disk chan int
}

func (s *spool) write(job int) {
	s.mu.Lock()
	from := time.Now()
	s.disk <- job
	if held := time.Since(from); held > 10*time.Millisecond {
		plant.Fault("convoy", "main.(*spool).write", from, held)
	}
	s.mu.Unlock()
}

func spin(disk chan int) {
	for range disk {
		plant.Nap(25)
	}
}

func main() {
	plant.Setup()
	s := &spool{disk: make(chan int)}
	plant.Start()
	go spin(s.disk)
	var wg sync.WaitGroup
	for i := 0; i < 12; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := 0; k < 3; k++ {
				s.write(i)
			}
		}()
	}
	wg.Wait()
	plant.Stop()
}
