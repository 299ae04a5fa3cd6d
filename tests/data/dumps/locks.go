package main

import (
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

type account struct {
	mu      sync.Mutex
	balance int
}

//go:noinline
func transfer(from, to *account, n int) {
	from.mu.Lock()
	time.Sleep(50 * time.Millisecond)
	to.mu.Lock()
	from.balance -= n
	to.balance += n
	to.mu.Unlock()
	from.mu.Unlock()
}

type store struct {
	mu sync.RWMutex
	m  map[int]int
	ch chan int
}

func (s *store) get(i int) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[i]
}

func (s *store) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ch <- 1
}

type node struct {
	mu sync.Mutex
	n  int
}

func (n *node) outer() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n++
	n.inner()
}

//go:noinline
func (n *node) inner() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.n--
}

func leaker(c chan int, i int) { c <- i }

func main() {
	mode := os.Args[1]
	var wg sync.WaitGroup
	switch mode {
	case "abba":
		a, b := new(account), new(account)
		wg.Add(2)
		go func() { defer wg.Done(); transfer(a, b, 1) }()
		go func() { defer wg.Done(); transfer(b, a, 1) }()
	case "self":
		wg.Add(1)
		n := new(node)
		go func() { defer wg.Done(); n.outer() }()
	case "rw":
		s := &store{m: map[int]int{}, ch: make(chan int)}
		wg.Add(9)
		go func() { defer wg.Done(); s.flush() }()
		time.Sleep(10 * time.Millisecond)
		for i := 0; i < 8; i++ {
			go func(i int) { defer wg.Done(); s.get(i) }(i)
		}
	case "leak":
		c := make(chan int)
		wg.Add(30)
		for i := 0; i < 30; i++ {
			go leaker(c, i)
		}
	}
	if len(os.Args) > 2 {
		time.Sleep(200 * time.Millisecond)
		switch os.Args[2] {
		case "1":
			pprof.Lookup("goroutine").WriteTo(os.Stdout, 1)
		case "2":
			pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
		case "quit":
			fmt.Fprintln(os.Stderr, "ready")
			time.Sleep(time.Hour)
		case "panic":
			panic("boom")
		}
		return
	}
	wg.Wait()
}
