// Alarms plants timers that all go off at once, each with work to do: the mode says which kind. "spread" is harmless: as
// many, one after the other.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type beat struct {
	sync.Mutex
	worst time.Duration
	at    time.Time
}

// pulse wants to run every 2 ms, and notes how late it is.
func (b *beat) pulse(stop <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case due := <-tick.C:
			if late := time.Since(due); late > b.worst {
				b.worst, b.at = late, due
			}
		}
	}
}

type session struct {
	id   int
	done *sync.WaitGroup
}

// expire is what each alarm does.
func (s *session) expire() {
	plant.Burn(200 * time.Microsecond)
	s.done.Done()
}

const sessions, regulars = 1500, 400

func afterFunc(gap time.Duration) {
	var wg sync.WaitGroup
	for round := 0; round < 3; round++ {
		due := time.Now().Add(60 * time.Millisecond)
		wg.Add(sessions)
		for i := 0; i < sessions; i++ {
			s := &session{id: i, done: &wg}
			time.AfterFunc(time.Until(due.Add(time.Duration(i)*gap)), s.expire)
		}
		wg.Wait()
	}
}

// refresh wakes every 50 ms, as all the others do.
func (s *session) refresh(stop <-chan struct{}) {
	defer s.done.Done()
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			plant.Burn(220 * time.Microsecond)
		case <-stop:
			return
		}
	}
}

func tickers() {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Add(regulars)
	for i := 0; i < regulars; i++ {
		go (&session{id: i, done: &wg}).refresh(stop)
	}
	time.Sleep(plant.Span())
	close(stop)
	wg.Wait()
}

// backoff retries at the same moment as everybody else.
func (s *session) backoff(due time.Time) {
	time.Sleep(time.Until(due))
	plant.Burn(200 * time.Microsecond)
	s.done.Done()
}

func sleepers() {
	var wg sync.WaitGroup
	for round := 0; round < 3; round++ {
		due := time.Now().Add(80 * time.Millisecond)
		wg.Add(sessions)
		for i := 0; i < sessions; i++ {
			go (&session{id: i, done: &wg}).backoff(due)
		}
		wg.Wait()
	}
}

func main() {
	plant.Setup()
	b, stop := new(beat), make(chan struct{})
	plant.Start()
	from := time.Now()
	go b.pulse(stop)
	who := "main.(*session).expire"
	switch plant.Mode() {
	case "afterfunc":
		afterFunc(0)
	case "tickers":
		tickers()
		who = "main.(*session).refresh"
	case "sleepers":
		sleepers()
		who = "main.(*session).backoff"
	case "spread":
		afterFunc(time.Millisecond / 3 * 2)
	}
	close(stop)
	plant.Fault("storm", who, from, time.Since(from), "late_ms", float64(b.worst)/1e6)
	plant.Stop()
}
