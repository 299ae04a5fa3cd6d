// Weblight is harmless: an HTTP server with a handful of clients and little to do.
package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type shop struct {
	mu    sync.RWMutex
	stock map[string]int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	n := s.stock[r.URL.Path]
	s.mu.RUnlock()
	plant.Burn(100 * time.Microsecond)
	json.NewEncoder(w).Encode(map[string]int{"left": n})
}

func visit(address string, pause time.Duration, until time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for time.Now().Before(until) {
		answer, err := http.Get("http://" + address + "/tea")
		plant.Check(err)
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		time.Sleep(pause)
	}
}

func main() {
	plant.Setup()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	go http.Serve(listener, &shop{stock: map[string]int{"/tea": 3}})
	var wg sync.WaitGroup
	plant.Start()
	until := time.Now().Add(plant.Span() + 300*time.Millisecond)
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go visit(listener.Addr().String(), time.Duration(14+3*i)*time.Millisecond, until, &wg)
	}
	wg.Wait()
	plant.Stop()
}
