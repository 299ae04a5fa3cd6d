// Evenload is harmless: requests come at an even rate, each allocates a little and has a goroutine of its own. Collections,
// assists and goroutines stay well below what hurts.
package main

import (
	"strings"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type order struct {
	lines []string
	sums  map[string]int
}

func take(n int) *order {
	o := &order{sums: map[string]int{}}
	for i := 0; i < 140; i++ {
		line := strings.Repeat("tea ", 8+(n+i)%24)
		o.lines = append(o.lines, line)
		o.sums[line[:4+i%8]] += i
	}
	return o
}

func main() {
	plant.Setup()
	var recent [128]*order
	for i := range recent {
		recent[i] = take(i)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	plant.Start()
	end := time.Now().Add(plant.Span() + 300*time.Millisecond)
	for n := 0; time.Now().Before(end); {
		for k := 0; k < 3; k++ {
			n++
			wg.Add(1)
			go func(n int) {
				defer wg.Done()
				o := take(n)
				mu.Lock()
				recent[n%len(recent)] = o
				mu.Unlock()
			}(n)
		}
		plant.Nap(2)
	}
	wg.Wait()
	plant.Stop()
}
