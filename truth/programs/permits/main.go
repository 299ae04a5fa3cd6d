// Permits plants limits that are far too tight for what is done under them: a weighted semaphore, a group with a limit, a
// pool of connections, leases in a map. The holders sleep; the others queue. "idle" is harmless: the limit is hardly touched.
package main

import (
	"container/list"
	"context"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

// ---- a weighted semaphore, as many have written it

type waiter struct {
	n     int64
	ready chan struct{}
}

type weighted struct {
	size, cur int64
	mu        sync.Mutex
	waiters   list.List
}

func (s *weighted) acquire(ctx context.Context, n int64) error {
	s.mu.Lock()
	if s.size-s.cur >= n && s.waiters.Len() == 0 {
		s.cur += n
		s.mu.Unlock()
		return nil
	}
	ready := make(chan struct{})
	elem := s.waiters.PushBack(waiter{n, ready})
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		s.mu.Lock()
		s.waiters.Remove(elem)
		s.mu.Unlock()
		return ctx.Err()
	case <-ready:
		return nil
	}
}

func (s *weighted) release(n int64) {
	s.mu.Lock()
	s.cur -= n
	for {
		next := s.waiters.Front()
		if next == nil {
			break
		}
		w := next.Value.(waiter)
		if s.size-s.cur < w.n {
			break
		}
		s.cur += w.n
		s.waiters.Remove(next)
		close(w.ready)
	}
	s.mu.Unlock()
}

type store struct {
	sem   *weighted
	conns chan *conn
	wg    sync.WaitGroup
}

type conn struct{ id int }

func (c *conn) query(d time.Duration) { time.Sleep(d) }

// export holds its share of the semaphore while it waits for something slow.
func (s *store) export(d time.Duration) {
	if s.sem.acquire(context.Background(), 2) != nil {
		return
	}
	defer s.sem.release(2)
	time.Sleep(d)
}

// lookup takes a connection from the pool.
func (s *store) lookup(d time.Duration) {
	c := <-s.conns
	defer func() { s.conns <- c }()
	c.query(d)
}

type group struct {
	wg  sync.WaitGroup
	sem chan struct{}
}

// run starts a task once there is room, as an errgroup with a limit does.
func (g *group) run(f func()) {
	g.sem <- struct{}{}
	g.wg.Add(1)
	go func() {
		defer func() {
			<-g.sem
			g.wg.Done()
		}()
		f()
	}()
}

func main() {
	plant.Setup()
	s := &store{sem: &weighted{size: 5}, conns: make(chan *conn, 2)}
	s.conns <- &conn{1}
	s.conns <- &conn{2}
	plant.Start()
	from := time.Now()
	until := from.Add(plant.Span())
	who := ""
	loop := func(n int, f func(), pause time.Duration) {
		for i := 0; i < n; i++ {
			s.wg.Add(1)
			go func() {
				defer s.wg.Done()
				for time.Now().Before(until) {
					f()
					time.Sleep(pause)
				}
			}()
		}
		s.wg.Wait()
	}
	switch plant.Mode() {
	case "weighted":
		who = "main.(*store).export"
		loop(12, func() { s.export(30 * time.Millisecond) }, time.Millisecond)
	case "conns":
		who = "main.(*store).lookup"
		loop(16, func() { s.lookup(25 * time.Millisecond) }, time.Millisecond)
	case "group":
		who = "main.(*conn).query"
		g := &group{sem: make(chan struct{}, 2)}
		c := &conn{3}
		loop(12, func() { g.run(func() { c.query(40 * time.Millisecond) }) }, time.Millisecond)
		g.wg.Wait()
	case "idle":
		loop(4, func() { s.lookup(2 * time.Millisecond) }, 10*time.Millisecond)
	}
	plant.Fault("limit", who, from, time.Since(from))
	plant.Stop()
}
