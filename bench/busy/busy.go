// Busy keeps every part of the scheduler at work and records an execution trace of it until the trace has the wanted size.
//
//	busy -o FILE -mb N
//
// Go 1.21 must be able to build it, the last that writes the old format.
//
// It plays a small bank: tellers pass slips along rings of channels, transfers lock two accounts, clerks are hired for one job and leave,
// branches talk over TCP, archivists read files, alarms ring, and everybody makes garbage for the collector.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sized counts what goes to the file, and says when it is enough.
type sized struct {
	file   *os.File
	left   int64
	enough chan struct{}
	once   sync.Once
}

func (s *sized) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.left -= int64(n)
	if s.left <= 0 || err != nil {
		s.once.Do(func() { close(s.enough) })
	}
	return n, err
}

type bank struct {
	closing  atomic.Bool
	staff    sync.WaitGroup
	accounts [32]struct {
		sync.Mutex
		balance int
	}
	ledger sync.RWMutex
	pages  map[string][]byte
}

func (b *bank) employ(job func()) {
	b.staff.Add(1)
	go func() {
		defer b.staff.Done()
		job()
	}()
}

var sink atomic.Int64

// think keeps a processor for some time without asking the runtime for anything.
func think(steps int) {
	x := int64(steps)
	for i := 0; i < steps; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink.Store(x)
}

// ring passes slips around a circle of tellers; a slip that has gone round thrice is replaced.
func (b *bank) ring(tellers, slips int) {
	desks := make([]chan int, tellers)
	for i := range desks {
		desks[i] = make(chan int, 1)
	}
	for i := range desks {
		i, in, out := i, desks[i], desks[(i+1)%tellers]
		b.employ(func() {
			for {
				select {
				case slip := <-in:
					think(60)
					if slip%7 == 0 {
						runtime.Gosched()
					}
					select {
					case out <- slip + 1:
					case <-time.After(5 * time.Millisecond): // the next desk is full: the slip is lost
					}
				case <-time.After(20 * time.Millisecond):
					if i < slips {
						select {
						case in <- i:
						default: // one came just now
						}
					}
				}
				if b.closing.Load() {
					return
				}
			}
		})
	}
	for i := 0; i < slips; i++ {
		desks[i%tellers] <- i // a desk has room for one, and there are fewer slips than desks
	}
}

// transfers lock two accounts in order; a popular account makes them queue.
func (b *bank) transfers(seed int64) {
	dice := rand.New(rand.NewSource(seed))
	for !b.closing.Load() {
		from, to := dice.Intn(len(b.accounts)/8), dice.Intn(len(b.accounts))
		if from == to {
			continue
		}
		first, second := &b.accounts[min(from, to)], &b.accounts[max(from, to)]
		first.Lock()
		second.Lock()
		think(30)
		first.balance--
		second.balance++
		second.Unlock()
		first.Unlock()
		if dice.Intn(16) == 0 {
			runtime.Gosched()
		}
	}
}

// hire starts a few clerks, each for one piece of work, and waits for them all.
func (b *bank) hire() {
	for round := 0; !b.closing.Load(); round++ {
		annotated := round%16 == 0 // most programs annotate little or nothing
		ctx, end := context.Background(), func() {}
		if annotated {
			var task *trace.Task
			ctx, task = trace.NewTask(ctx, "closing")
			trace.Log(ctx, "round", strconv.Itoa(round))
			end = task.End
		}
		var clerks sync.WaitGroup
		for i := 0; i < 6; i++ {
			i := i
			clerks.Add(1)
			go func() {
				defer clerks.Done()
				if annotated {
					defer trace.StartRegion(ctx, "sort").End()
				}
				sums := make([]int, 40+i)
				for j := range sums {
					sums[j] = (j*7919 + round) % 1009
				}
				sort.Ints(sums)
			}()
		}
		clerks.Wait()
		end()
		time.Sleep(100 * time.Microsecond) // else nobody else gets a word in
	}
}

// bookkeep fills and reads a table under a read-write lock, and leaves old pages to the collector.
func (b *bank) bookkeep(writer bool) {
	for i := 0; !b.closing.Load(); i++ {
		key := strconv.Itoa(i % 257)
		if writer {
			b.ledger.Lock()
			b.pages[key] = make([]byte, 8<<10)
			b.ledger.Unlock()
			time.Sleep(50 * time.Microsecond)
		} else {
			b.ledger.RLock()
			think(len(b.pages[key]) / 64)
			b.ledger.RUnlock()
			runtime.Gosched()
		}
	}
}

// archive makes system calls: short ones, and some that end up in the kernel for a while.
func (b *bank) archive() {
	for i := 0; !b.closing.Load(); i++ {
		if text, err := os.ReadFile("/proc/self/stat"); err == nil {
			think(len(strings.Fields(string(text))))
		}
		if i%50 == 0 {
			os.ReadDir(os.TempDir())
		}
		runtime.Gosched()
	}
}

// branch serves lines over TCP, and visit asks.
func (b *bank) branch(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		b.employ(func() {
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				think(50)
				if _, err := fmt.Fprintln(conn, len(lines.Text())); err != nil {
					return
				}
			}
		})
	}
}

func (b *bank) visit(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	answers := bufio.NewScanner(conn)
	for i := 0; !b.closing.Load(); i++ {
		if _, err := fmt.Fprintln(conn, "what is on account", i); err != nil || !answers.Scan() {
			return
		}
	}
}

// alarms ring on timers of their own.
func (b *bank) alarms() {
	tick := time.NewTicker(300 * time.Microsecond)
	defer tick.Stop()
	for !b.closing.Load() {
		<-tick.C
		rung := make(chan struct{})
		time.AfterFunc(100*time.Microsecond, func() { close(rung) })
		<-rung
	}
}

func (b *bank) open() (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.pages = make(map[string][]byte)
	b.employ(func() { b.branch(listener) })
	for i := 0; i < 4; i++ {
		b.ring(12, 8)
		b.employ(func() { b.transfers(int64(i)) })
		b.employ(b.hire)
		b.employ(func() { b.bookkeep(i == 0) })
		b.employ(b.archive)
		b.employ(func() { b.visit(listener.Addr().String()) })
		b.employ(b.alarms)
	}
	return listener, nil
}

func run(path string, megabytes int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := &sized{file: file, left: megabytes << 20, enough: make(chan struct{})}
	if err := trace.Start(out); err != nil {
		return err
	}
	var b bank
	listener, err := b.open()
	if err != nil {
		return err
	}
	<-out.enough
	b.closing.Store(true)
	listener.Close()
	b.staff.Wait()
	trace.Stop()
	return file.Close()
}

func main() {
	path := flag.String("o", "busy.trace", "where the trace goes")
	megabytes := flag.Int64("mb", 30, "its size in MiB, about")
	flag.Parse()
	if err := run(*path, *megabytes); err != nil {
		fmt.Fprintln(os.Stderr, "busy:", err)
		os.Exit(1)
	}
}
