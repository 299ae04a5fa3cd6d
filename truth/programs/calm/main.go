// Calm is what healthy programs do and what may look like a fault: producers that a bounded queue holds back, a limiter's tokens,
// tests that wait for their turn, a locked thread that is called upon, coroutines, a big buffer that is cleared, connections that
// are kept, one who leads, polling, work that is split unevenly, sections that are read for long.
package main

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

// backpressure: eight producers, a bounded queue, one consumer that is as fast as its disk.
func backpressure(until time.Time) {
	queue := make(chan int, 4)
	var wg sync.WaitGroup
	for p := 0; p < 8; p++ {
		wg.Add(1)
		go func(p int) {
			defer wg.Done()
			for time.Now().Before(until) {
				queue <- p
			}
		}(p)
	}
	go func() { wg.Wait(); close(queue) }()
	for range queue {
		time.Sleep(4 * time.Millisecond)
	}
}

// limiter: thirty clients wait for tokens, as they should.
func limiter(until time.Time) {
	tokens := make(chan struct{})
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	go func() {
		t := time.NewTicker(2 * time.Millisecond)
		defer t.Stop()
		for range t.C {
			select {
			case tokens <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for i := 0; i < 30; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-tokens:
					plant.Burn(20 * time.Microsecond)
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	wg.Wait()
}

// thread: one goroutine owns a thread (a GUI, a GPU), others call it.
func thread(until time.Time) {
	calls := make(chan chan int)
	go func() {
		runtime.LockOSThread()
		for c := range calls {
			plant.Burn(30 * time.Microsecond)
			c <- 1
		}
	}()
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			answer := make(chan int)
			for time.Now().Before(until) {
				calls <- answer
				<-answer
				time.Sleep(500 * time.Microsecond)
			}
		}()
	}
	wg.Wait()
	close(calls)
}

// buffers: large blocks are made and cleared; nobody asks for a stop meanwhile but the collector.
func buffers(until time.Time) {
	for time.Now().Before(until) {
		b := make([]byte, 32<<20)
		b[len(b)/2] = 1
		time.Sleep(30 * time.Millisecond)
		runtime.KeepAlive(b)
	}
}

// kept: 300 connections, each with a reader that waits; a few words now and then.
func kept(until time.Time) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	var conns []net.Conn
	for i := 0; i < 300; i++ {
		c, err := net.Dial("tcp", l.Addr().String())
		plant.Check(err)
		conns = append(conns, c)
	}
	word := make([]byte, 16)
	for i := 0; time.Now().Before(until); i++ {
		c := conns[i*7%len(conns)]
		c.Write(word)
		io.ReadFull(c, word)
		time.Sleep(time.Millisecond)
	}
	for _, c := range conns {
		c.Close()
	}
	l.Close()
}

// polling: a flag is looked at every millisecond by five goroutines.
func polling(until time.Time) {
	var ready int32
	var wg sync.WaitGroup
	for i := 0; i < 5; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for atomic.LoadInt32(&ready) == 0 {
				time.Sleep(time.Millisecond)
			}
		}()
	}
	time.Sleep(time.Until(until))
	atomic.StoreInt32(&ready, 1)
	wg.Wait()
}

// uneven: a fork and join of parts of very different sizes, again and again, no more at a time than there are procs.
func uneven(until time.Time) {
	for time.Now().Before(until) {
		var wg sync.WaitGroup
		for i := 0; i < 2; i++ {
			wg.Add(1)
			go func(i int) {
				defer wg.Done()
				plant.Burn(time.Duration(1+8*i) * time.Millisecond)
			}(i)
		}
		wg.Wait()
		time.Sleep(2 * time.Millisecond)
	}
}

// snapshot: readers keep a RWMutex for 3 ms, writers come every 50 ms.
func snapshot(until time.Time) {
	var mu sync.RWMutex
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(until) {
				mu.RLock()
				time.Sleep(3 * time.Millisecond)
				mu.RUnlock()
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for time.Now().Before(until) {
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		mu.Unlock()
	}
	wg.Wait()
}

// pages: pages are fetched from a server that answers after 5 to 20 ms; a group of eight at a time, all within a deadline.
func pages(until time.Time) {
	client, server := net.Pipe()
	go func() {
		b := make([]byte, 8)
		for {
			if _, err := server.Read(b); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
			server.Write(b)
		}
	}()
	b := make([]byte, 8)
	for time.Now().Before(until) {
		client.SetDeadline(time.Now().Add(time.Second))
		client.Write(b)
		io.ReadFull(client, b)
	}
	client.Close()
	server.Close()
}

func main() {
	plant.Setup()
	plant.Start()
	map[string]func(time.Time){"backpressure": backpressure, "limiter": limiter, "thread": thread, "buffers": buffers, "kept": kept, "polling": polling,
		"uneven": uneven, "snapshot": snapshot, "pages": pages}[plant.Mode()](time.Now().Add(2 * plant.Span()))
	plant.Stop()
}
