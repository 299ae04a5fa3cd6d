// Snags plants waits of the everyday kind: a log behind a slow pipe, a lock held over a request, a reader that blocks itself, a
// condition nobody signals, users of a spin lock, collections asked for in a loop, a memory limit too near to what lives, stops by
// changes of GOMAXPROCS, a finalizer that blocks all others.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"example.org/planted/internal/plant"
)

// ---- a log whose pipe is read slowly

func drain(r *os.File, stop *int32) {
	b := make([]byte, 4096)
	for atomic.LoadInt32(stop) == 0 {
		time.Sleep(40 * time.Millisecond)
		if _, err := r.Read(b); err != nil {
			return
		}
	}
	io.Copy(io.Discard, r)
}

func logHard(l *log.Logger, line string, wg *sync.WaitGroup, stop *int32) {
	defer wg.Done()
	for atomic.LoadInt32(stop) == 0 {
		l.Print(line)
		time.Sleep(time.Millisecond)
	}
}

func slowLog() {
	r, w, err := os.Pipe()
	plant.Check(err)
	l := log.New(w, "", 0)
	line := string(make([]byte, 2000))
	var wg sync.WaitGroup
	var stop int32
	from := time.Now()
	go drain(r, &stop)
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go logHard(l, line, &wg, &stop)
	}
	time.Sleep(2 * plant.Span())
	plant.Fault("convoy", "main.logHard", from, time.Since(from))
	atomic.StoreInt32(&stop, 1)
	wg.Wait()
	w.Close()
}

// ---- a server whose handlers share a lock that is held over a call of another server

type front struct {
	mu   sync.Mutex
	back string
}

func slowBackend(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(25 * time.Millisecond)
	fmt.Fprintln(w, "ok")
}

func (f *front) proxy(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	resp, err := http.Get(f.back)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	io.Copy(w, resp.Body)
	resp.Body.Close()
}

func listen(h http.HandlerFunc) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	go http.Serve(l, h)
	return "http://" + l.Addr().String()
}

func lockedProxy() {
	f := &front{back: listen(slowBackend)}
	url := listen(f.proxy)
	var wg sync.WaitGroup
	from := time.Now()
	for i := 0; i < 16; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Since(from) < 2*plant.Span() {
				resp, err := http.Get(url)
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		}()
	}
	wg.Wait()
	plant.Fault("convoy", "main.(*front).proxy", from, time.Since(from))
}

// ---- a read lock taken twice, with a writer in between: all stand for good

type table struct {
	mu sync.RWMutex
	n  int
}

func (t *table) outer() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	time.Sleep(30 * time.Millisecond)
	t.inner()
}

func (t *table) inner() {
	t.mu.RLock()
	t.n++
	t.mu.RUnlock()
}

func (t *table) update() {
	t.mu.Lock()
	t.n = 0
	t.mu.Unlock()
}

func recursiveRead() {
	t := &table{}
	from := time.Now()
	go t.outer()
	time.Sleep(10 * time.Millisecond)
	go t.update()
	time.Sleep(5 * time.Millisecond)
	for i := 0; i < 8; i++ {
		go t.inner()
	}
	time.Sleep(2 * plant.Span())
	plant.Fault("knot", "main.(*table).outer", from, time.Since(from))
}

// ---- a condition that is signalled before anybody waits

type inbox struct {
	mu    sync.Mutex
	ready *sync.Cond
	n     int
}

func (b *inbox) take() {
	b.mu.Lock()
	b.ready.Wait()
	b.n--
	b.mu.Unlock()
}

func lostSignal() {
	from := time.Now()
	for time.Since(from) < 2*plant.Span() {
		b := &inbox{}
		b.ready = sync.NewCond(&b.mu)
		b.ready.Signal()
		go b.take()
		time.Sleep(8 * time.Millisecond)
	}
	plant.Fault("leak", "main.(*inbox).take", from, time.Since(from))
}

// ---- a spin lock of one's own: whoever waits keeps a P from who holds it

var flag int32

func spinLock() {
	for !atomic.CompareAndSwapInt32(&flag, 0, 1) {
	}
}

func spinner(wg *sync.WaitGroup, until time.Time) {
	defer wg.Done()
	for time.Now().Before(until) {
		spinLock()
		time.Sleep(2 * time.Millisecond) // the holder leaves its P
		atomic.StoreInt32(&flag, 0)
	}
}

func pulse(wg *sync.WaitGroup, until time.Time) {
	defer wg.Done()
	for time.Now().Before(until) {
		time.Sleep(3 * time.Millisecond)
	}
}

func ownLock() {
	from := time.Now()
	until := from.Add(2 * plant.Span())
	var wg sync.WaitGroup
	for i := 0; i < 6; i++ {
		wg.Add(1)
		go spinner(&wg, until)
	}
	wg.Add(1)
	go pulse(&wg, until)
	wg.Wait()
	plant.Fault("spin", "main.spinLock", from, time.Since(from))
}

// ---- the collector

type node struct {
	next *node
	data [6]uint64
}

var live *node

func grow(n int) {
	for i := 0; i < n; i++ {
		live = &node{next: live}
	}
}

func collectEach() { runtime.GC() }

func serveEach(wg *sync.WaitGroup, until time.Time) {
	defer wg.Done()
	for time.Now().Before(until) {
		collectEach()
		time.Sleep(500 * time.Microsecond)
	}
}

var sink []byte

func decode(wg *sync.WaitGroup, until time.Time) {
	defer wg.Done()
	for time.Now().Before(until) {
		sink = make([]byte, 24<<10)
		for i := range sink {
			sink[i] = byte(i)
		}
	}
}

func both(kind, who string, f func(*sync.WaitGroup, time.Time)) {
	from := time.Now()
	until := from.Add(2 * plant.Span())
	var wg sync.WaitGroup
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go f(&wg, until)
	}
	wg.Wait()
	plant.Fault(kind, who, from, time.Since(from))
}

// ---- GOMAXPROCS changed all the time

func adapt() {
	from := time.Now()
	n := 0
	for ; time.Since(from) < 2*plant.Span(); n++ {
		runtime.GOMAXPROCS(plant.Procs() + n%2 + 1)
	}
	plant.Fault("often", "main.adapt", from, time.Since(from), "stops", n)
}

// ---- a finalizer that waits: whoever waits for a later one waits for it

type resource struct{ done chan struct{} }

var slow = make(chan struct{})

func closeSlowly(*resource) { <-slow }

func blockedFinalizer() {
	from := time.Now()
	func() { runtime.SetFinalizer(&resource{}, closeSlowly) }()
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	r := &resource{done: make(chan struct{})}
	done := r.done
	runtime.SetFinalizer(r, func(r *resource) { close(r.done) })
	runtime.GC()
	time.AfterFunc(plant.Span(), func() { close(slow) })
	<-done
	plant.Fault("finalizer", "main.closeSlowly", from, time.Since(from))
}

func main() {
	plant.Setup()
	switch plant.Mode() {
	case "collect":
		grow(200000)
	case "limit":
		grow(1200000) // 70 MB
		debug.SetGCPercent(-1)
		debug.SetMemoryLimit(72 << 20)
	}
	plant.Start()
	switch plant.Mode() {
	case "log":
		slowLog()
	case "proxy":
		lockedProxy()
	case "reread":
		recursiveRead()
	case "signal":
		lostSignal()
	case "spin":
		ownLock()
	case "collect":
		both("gc", "main.collectEach", serveEach)
	case "limit":
		both("gc", "main.decode", decode)
	case "adapt":
		adapt()
	case "finalizer":
		blockedFinalizer()
	}
	plant.Stop()
}
