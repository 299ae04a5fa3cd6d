// Counter plants convoys: eight customers queue at one lock; the mode says what whoever has it does meanwhile.
package main

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

const hold = 40 * time.Millisecond

type desk struct {
	sync.Mutex
	papers sync.Mutex
	room   sync.RWMutex
	pipe   [2]int
	conn   net.Conn
	places chan struct{}
	tokens chan int
	full   chan int
}

func (d *desk) fetch() {
	d.papers.Lock()
	plant.Burn(50 * time.Microsecond)
	d.papers.Unlock()
}

// shuffle has the papers for long while others hold the desk and want them.
func (d *desk) shuffle(until time.Time) {
	for time.Now().Before(until) {
		d.papers.Lock()
		time.Sleep(hold)
		d.papers.Unlock()
		time.Sleep(100 * time.Microsecond)
	}
}

func (d *desk) ask() {
	var b [1]byte
	d.Lock()
	from := time.Now()
	switch plant.Mode() {
	case "sleep":
		time.Sleep(hold)
	case "compute":
		plant.Burn(hold)
	case "kernel":
		ts := syscall.NsecToTimespec(int64(hold))
		syscall.Nanosleep(&ts, nil)
	case "network":
		_, err := d.conn.Read(b[:])
		plant.Check(err)
	case "nested":
		d.fetch()
	case "stuck":
		d.full <- 1
	}
	plant.Fault("convoy", "main.(*desk).ask", from, time.Since(from))
	d.Unlock()
}

// park takes one of two places and sleeps on it.
func (d *desk) park() {
	d.places <- struct{}{}
	from := time.Now()
	time.Sleep(hold)
	plant.Fault("convoy", "main.(*desk).park", from, time.Since(from))
	<-d.places
}

func (d *desk) take() int { return <-d.tokens }

func (d *desk) giveBack(token int) { d.tokens <- token }

// borrow uses one of two tokens.
func (d *desk) borrow() {
	token := d.take()
	from := time.Now()
	time.Sleep(hold)
	plant.Fault("convoy", "main.(*desk).borrow", from, time.Since(from))
	d.giveBack(token)
}

func (d *desk) browse() {
	d.room.RLock()
	from := time.Now()
	time.Sleep(3 * hold)
	plant.Fault("convoy", "main.(*desk).browse", from, time.Since(from))
	d.room.RUnlock()
}

func (d *desk) look() {
	d.room.RLock()
	plant.Burn(30 * time.Microsecond)
	d.room.RUnlock()
}

func (d *desk) clean() {
	d.room.Lock()
	plant.Burn(30 * time.Microsecond)
	d.room.Unlock()
}

// readers: one reads for long, a writer comes, and all readers after it wait for both.
func (d *desk) readers() {
	for round := 0; round < 4; round++ {
		var wg sync.WaitGroup
		run := func(f func()) {
			wg.Add(1)
			go func() { defer wg.Done(); f() }()
		}
		run(d.browse)
		plant.Nap(5)
		run(d.clean)
		plant.Nap(5)
		for i := 0; i < 8; i++ {
			run(d.look)
		}
		wg.Wait()
		plant.Nap(20)
	}
}

// stuck: the first one never lets go.
func (d *desk) stuck() {
	from := time.Now()
	for i := 0; i < 8; i++ {
		go d.ask()
		plant.Nap(10)
	}
	time.Sleep(plant.Span())
	plant.Fault("convoy", "main.(*desk).ask", from, time.Since(from))
}

func feed(c net.Conn) {
	for {
		time.Sleep(hold)
		if _, err := c.Write([]byte{1}); err != nil {
			return
		}
	}
}

func (d *desk) connect() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	d.conn, err = net.Dial("tcp", l.Addr().String())
	plant.Check(err)
	other, err := l.Accept()
	plant.Check(err)
	go feed(other)
}

func main() {
	plant.Setup()
	d := &desk{places: make(chan struct{}, 2), tokens: make(chan int, 2), full: make(chan int)}
	d.tokens <- 1
	d.tokens <- 2
	if plant.Mode() == "network" {
		d.connect()
	}
	plant.Start()
	switch plant.Mode() {
	case "readers":
		d.readers()
		plant.Stop()
		return
	case "stuck":
		d.stuck()
		plant.Stop()
		return
	case "nested":
		go d.shuffle(time.Now().Add(time.Hour))
		plant.Nap(1)
	}
	once := map[string]func(){"places": d.park, "tokens": d.borrow}[plant.Mode()]
	if once == nil {
		once = d.ask
	}
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := 0; k < 2; k++ {
				once()
			}
		}()
	}
	wg.Wait()
	plant.Stop()
	os.Exit(0)
}
