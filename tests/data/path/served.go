// A server whose requests are late for known reasons, recorded for tests of `stwatch path`:
//
//	lockreq  waits for a lock that main.slowBackup holds while it sleeps
//	workreq  waits for a worker that computes in main.crunch, one job after another
//	dbreq    waits for the network: the other side answers after 22 ms
//	sysreq   sits in a system call for 15 ms, in main.handleSys
//
//	go run served.go served.trace
package main

import (
	"fmt"
	"io"
	"io/ioutil"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/trace"
	"sync"
	"syscall"
	"time"
)

var mu sync.Mutex
var jobs = make(chan func(), 64)

func slowBackup() { // holds the lock, asleep
	for {
		time.Sleep(90 * time.Millisecond)
		mu.Lock()
		time.Sleep(35 * time.Millisecond)
		mu.Unlock()
	}
}

func crunch(d time.Duration) int {
	t, n := time.Now(), 0
	for time.Since(t) < d {
		for i := 0; i < 1000; i++ {
			n += i * n
		}
	}
	return n
}

func worker() {
	for f := range jobs {
		f()
	}
}

func handleLock(w http.ResponseWriter, r *http.Request) {
	ctx, task := trace.NewTask(r.Context(), "lockreq")
	defer task.End()
	trace.WithRegion(ctx, "critical", func() {
		mu.Lock()
		mu.Unlock()
	})
	fmt.Fprintln(w, "ok")
}

func handleWork(w http.ResponseWriter, r *http.Request) {
	_, task := trace.NewTask(r.Context(), "workreq")
	defer task.End()
	done := make(chan bool)
	jobs <- func() { crunch(12 * time.Millisecond); close(done) }
	<-done
	fmt.Fprintln(w, "ok")
}

func handleDB(w http.ResponseWriter, r *http.Request) {
	_, task := trace.NewTask(r.Context(), "dbreq")
	defer task.End()
	c, err := net.Dial("tcp", db)
	if err != nil {
		return
	}
	ioutil.ReadAll(c)
	fmt.Fprintln(w, "ok")
}

func handleSys(w http.ResponseWriter, r *http.Request) {
	_, task := trace.NewTask(r.Context(), "sysreq")
	defer task.End()
	t := syscall.NsecToTimespec(15e6)
	syscall.Nanosleep(&t, nil)
	fmt.Fprintln(w, "ok")
}

var db string

func serveDB(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { time.Sleep(22 * time.Millisecond); c.Write([]byte("x")); c.Close() }()
	}
}

func main() {
	runtime.GOMAXPROCS(2)
	dl, _ := net.Listen("tcp", "127.0.0.1:0")
	db = dl.Addr().String()
	go serveDB(dl)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	http.HandleFunc("/lock", handleLock)
	http.HandleFunc("/work", handleWork)
	http.HandleFunc("/db", handleDB)
	http.HandleFunc("/sys", handleSys)
	go http.Serve(l, nil)
	go slowBackup()
	go worker()
	f, _ := os.Create(os.Args[1])
	trace.Start(f)
	var wg sync.WaitGroup
	end := time.Now().Add(300 * time.Millisecond)
	for _, p := range []string{"/lock", "/lock", "/work", "/work", "/work", "/db", "/sys"} {
		wg.Add(1)
		go func(p string) {
			defer wg.Done()
			cl := &http.Client{Transport: &http.Transport{}}
			for time.Now().Before(end) {
				req, _ := http.NewRequest("GET", "http://"+l.Addr().String()+p, nil)
				if res, err := cl.Do(req); err == nil {
					io.Copy(ioutil.Discard, res.Body)
					res.Body.Close()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}(p)
	}
	wg.Wait()
	trace.Stop()
	f.Close()
}
