// Growth plants goroutines that never end, one more every few milliseconds, in the ways that services leak them: bodies that
// nobody closes, tickers that nobody stops, contexts that nobody cancels, results that nobody takes, reads without a deadline.
// "closed" is harmless: the same requests with their bodies closed.
package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type service struct {
	client *http.Client
	url    string
	wg     sync.WaitGroup
	mu     sync.Mutex
	cache  map[int]time.Time
}

// fetch forgets the body of the answer.
func (s *service) fetch(closed bool) {
	r, err := s.client.Get(s.url)
	plant.Check(err)
	if closed {
		io.Copy(devNull{}, r.Body)
		r.Body.Close()
	}
}

type devNull struct{}

func (devNull) Write(b []byte) (int, error) { return len(b), nil }

// poll is started for each request and never stopped.
func (s *service) poll(key int) {
	t := time.NewTicker(40 * time.Millisecond)
	for range t.C {
		s.mu.Lock()
		s.cache[key] = time.Now()
		s.mu.Unlock()
	}
}

// watch ends with a context that nobody cancels.
func (s *service) watch(ctx context.Context, updates <-chan int) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-updates:
			s.mu.Lock()
			s.cache[n] = time.Now()
			s.mu.Unlock()
		}
	}
}

// tail reads from a peer that has nothing to say.
func (s *service) tail(c net.Conn) {
	var b [64]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return
		}
	}
}

// hedge asks two and takes the first; the other one stays.
func (s *service) hedge() int {
	answers := make(chan int)
	for i := 0; i < 2; i++ {
		go func(i int) {
			time.Sleep(time.Duration(1+i) * time.Millisecond)
			answers <- i
		}(i)
	}
	return <-answers
}

// join waits for a group in which somebody forgot Done.
func (s *service) join() {
	var parts sync.WaitGroup
	parts.Add(3)
	for i := 0; i < 3; i++ {
		go func(i int) {
			if i < 2 {
				parts.Done()
			}
		}(i)
	}
	parts.Wait()
}

// later is a timer made by hand for the far future.
func (s *service) later(d time.Duration) {
	time.Sleep(d)
	s.mu.Lock()
	s.cache = map[int]time.Time{}
	s.mu.Unlock()
}

func main() {
	plant.Setup()
	s := &service{cache: map[int]time.Time{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	s.url = "http://" + listener.Addr().String()
	who := ""
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 64<<10))
	}))
	plant.Start()
	from := time.Now()
	for n := 0; time.Since(from) < 2*plant.Span(); n++ {
		switch plant.Mode() {
		case "body":
			who = "main.(*service).fetch"
			s.fetch(false)
		case "closed":
			s.fetch(true)
		case "ticker":
			who = "main.(*service).poll"
			go s.poll(n)
		case "context":
			who = "main.(*service).watch"
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			go s.watch(ctx, make(chan int))
			_ = cancel
		case "read":
			who = "main.(*service).tail"
			c, err := net.Dial("tcp", mute.Addr().String())
			plant.Check(err)
			go s.tail(c)
		case "hedge":
			who = "main.(*service).hedge.func1"
			s.hedge()
		case "join":
			who = "main.(*service).join"
			go s.join()
		case "later":
			who = "main.(*service).later"
			go s.later(time.Hour)
		}
		plant.Nap(10)
	}
	plant.Fault("growth", who, from, time.Since(from))
	plant.Stop()
}
