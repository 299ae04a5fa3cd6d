// Orderly is harmless: goroutines wait for each other in ways that resemble a convoy. The mode says how.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func crew(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			work(i)
		}()
	}
	wg.Wait()
}

// limited: more want to compute than there are places; that is what the limit is for.
func limited(until time.Time) {
	places := make(chan struct{}, plant.Procs())
	crew(4*plant.Procs()+4, func(int) {
		for time.Now().Before(until) {
			places <- struct{}{}
			plant.Burn(6 * time.Millisecond)
			<-places
		}
	})
}

// roomy: a limit that is seldom reached, and left soon.
func roomy(until time.Time) {
	places := make(chan struct{}, 4)
	crew(8, func(int) {
		for time.Now().Before(until) {
			places <- struct{}{}
			plant.Nap(1)
			<-places
			plant.Nap(3)
		}
	})
}

// lockstep: all wait for the slowest of each round, at a condition.
func lockstep(until time.Time) {
	const n = 8
	var mu sync.Mutex
	all := sync.NewCond(&mu)
	here, round := 0, 0
	crew(n, func(i int) {
		for k := 0; k < 15; k++ {
			plant.Nap(2 + 4*i)
			mu.Lock()
			if here++; here == n {
				here = 0
				round++
				all.Broadcast()
			} else {
				for mine := round; mine == round; {
					all.Wait()
				}
			}
			mu.Unlock()
		}
	})
}

type page struct{ depth int }

// crawl: workers find more work for each other; most are idle most of the time.
func crawl(until time.Time) {
	pages := make(chan page, 1000)
	var pending sync.WaitGroup
	for i := 0; i < 10; i++ {
		go func() {
			for p := range pages {
				plant.Nap(10)
				for k := 0; k < p.depth%3; k++ {
					pending.Add(1)
					pages <- page{p.depth - 1}
				}
				pending.Done()
			}
		}()
	}
	for time.Now().Before(until) {
		pending.Add(1)
		pages <- page{5}
		plant.Nap(60)
	}
	pending.Wait()
	close(pages)
}

// pressure: producers are held back by one consumer that waits for something slow.
func pressure(until time.Time) {
	belt := make(chan int, 2)
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(until) {
				plant.Burn(50 * time.Microsecond)
				belt <- 1
			}
		}()
	}
	go func() { wg.Wait(); close(belt) }()
	for range belt {
		plant.Nap(5)
	}
}

// cache: many readers, a short write now and then.
func cache(until time.Time) {
	var mu sync.RWMutex
	table := map[int]int{}
	crew(12, func(i int) {
		for k := 0; time.Now().Before(until); k++ {
			if i == 0 {
				mu.Lock()
				plant.Burn(40 * time.Microsecond)
				table[k%100] = k
				mu.Unlock()
				plant.Nap(5)
				continue
			}
			mu.RLock()
			_ = table[k%100]
			plant.Burn(30 * time.Microsecond)
			mu.RUnlock()
			plant.Nap(1)
		}
	})
}

// busylock: one lock, taken all the time for next to nothing.
func busylock(until time.Time) {
	var mu sync.Mutex
	sum := uint64(0)
	crew(6, func(int) {
		for time.Now().Before(until) {
			x := plant.Burn(100 * time.Microsecond)
			mu.Lock()
			sum += x
			mu.Unlock()
		}
	})
}

func main() {
	plant.Setup()
	plant.Start()
	until := time.Now().Add(plant.Span())
	map[string]func(time.Time){"limited": limited, "roomy": roomy, "lockstep": lockstep, "crawl": crawl, "pressure": pressure, "cache": cache, "busylock": busylock}[plant.Mode()](until)
	plant.Stop()
}
