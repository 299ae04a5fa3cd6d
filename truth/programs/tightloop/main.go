// Tightloop plants a loop without calls that nothing can interrupt (run it with GODEBUG=asyncpreemptoff=1).
// Mode gc: a collection waits for it. Mode silent: no stop, but others stand runnable behind it.
package main

import (
	"runtime"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type sieve struct{ bits [1 << 12]uint64 }

//go:noinline
func (s *sieve) sift(rounds int) (count uint64) {
	for r := 0; r < rounds; r++ {
		for i := range s.bits {
			s.bits[i] ^= uint64(r*i) + count>>3
			count += s.bits[i] & 1
		}
	}
	return count
}

func tend(s *sieve, rounds int, orders, ends chan time.Time) {
	for range orders {
		s.sift(rounds)
		ends <- time.Now()
	}
}

func attend(bell chan time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for rung := range bell {
		if late := time.Since(rung); late > 20*time.Millisecond {
			plant.Fault("silent", "main.(*sieve).sift", rung, late, "victim", "main.attend")
		}
		plant.Burn(50 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	s := new(sieve)
	began := time.Now()
	s.sift(2000)
	rounds := int(2000 * 130 * float64(time.Millisecond) / float64(time.Since(began)))
	orders, ends := make(chan time.Time), make(chan time.Time, plant.Procs())
	plant.Start()
	if plant.Mode() == "silent" {
		// Each P gets its own loop, so that nobody can help the others out.
		for i := 0; i < plant.Procs(); i++ {
			go tend(s, rounds, orders, ends)
		}
		bells, done := make(chan time.Time, 64), new(sync.WaitGroup)
		done.Add(2)
		go attend(bells, done)
		go attend(bells, done)
		for round := 0; round < 3; round++ {
			plant.Nap(60)
			from := time.Now()
			for i := 0; i < plant.Procs(); i++ {
				orders <- from
			}
			bells <- time.Now()
			bells <- time.Now()
			for i := 0; i < plant.Procs(); i++ {
				<-ends
			}
		}
		close(bells)
		done.Wait()
	} else {
		go tend(s, rounds, orders, ends)
		for round := 0; round < 3; round++ {
			plant.Nap(60)
			orders <- time.Now()
			plant.Nap(5)
			asked := time.Now()
			runtime.GC()
			end := <-ends
			plant.Fault("stw", "main.(*sieve).sift", asked, end.Sub(asked), "reason", "GC sweep termination", "asker", "main.main")
		}
	}
	plant.Stop()
}
