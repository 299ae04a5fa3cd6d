// V1program does a little of everything that an execution trace of Go 1.5 to 1.21 can show, and records it: collections, system
// calls, network, timers, channels, mutexes, select, preemption, and, where the version has them, tasks, regions, logs and CPU samples.
// It must compile with every Go since 1.5, so it uses nothing newer.
//
//	v1program -o FILE [-procs N] [-rounds N] [-samples] [-preempt]
package main

import (
	"flag"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"time"
)

var (
	output  = flag.String("o", "", "the trace")
	procs   = flag.Int("procs", 2, "GOMAXPROCS")
	rounds  = flag.Int("rounds", 3, "how often everything is done")
	samples = flag.Bool("samples", false, "with a CPU profile, whose samples are in traces since Go 1.19")
	preempt = flag.Bool("preempt", false, "with a goroutine that is preempted (takes 40 ms a round)")
)

var garbage [][]byte

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// relay passes each number on through a channel.
func relay(in, out chan int, done *sync.WaitGroup) {
	for v := range in {
		out <- v + 1
	}
	close(out)
	done.Done()
}

func channels() {
	var done sync.WaitGroup
	a, b, quit := make(chan int), make(chan int), make(chan bool)
	done.Add(2)
	go relay(a, b, &done)
	go func() {
		defer done.Done()
		for {
			select {
			case _, more := <-b:
				if !more {
					b = nil
				}
			case <-quit:
				return
			}
		}
	}()
	for i := 0; i < 4; i++ {
		a <- i
		runtime.Gosched()
	}
	close(a)
	quit <- true
	done.Wait()
}

func locks() {
	var mu sync.Mutex
	var done sync.WaitGroup
	cond := sync.NewCond(&mu)
	ready := false
	mu.Lock()
	for i := 0; i < 3; i++ {
		done.Add(1)
		go func() {
			mu.Lock()
			for !ready {
				cond.Wait()
			}
			mu.Unlock()
			done.Done()
		}()
	}
	time.Sleep(time.Millisecond)
	mu.Unlock()
	time.Sleep(time.Millisecond)
	mu.Lock()
	ready = true
	cond.Broadcast()
	mu.Unlock()
	done.Wait()
}

func network(listener net.Listener) {
	done := make(chan bool)
	go func() {
		c, err := listener.Accept()
		check(err)
		io.Copy(c, c)
		c.Close()
		done <- true
	}()
	c, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	word := make([]byte, 4)
	for i := 0; i < 2; i++ {
		c.Write(word)
		io.ReadFull(c, word)
	}
	c.Close()
	<-done
}

// calls makes short system calls, and one that keeps its thread until the P is taken away.
func calls() {
	r, w, err := os.Pipe()
	check(err)
	go func() {
		time.Sleep(2 * time.Millisecond)
		w.Write([]byte("x"))
		w.Close()
	}()
	os.Stat("/")
	r.Read(make([]byte, 1))
	r.Close()
	slowCall()
}

func allocate() {
	for i := 0; i < 40; i++ {
		garbage = append(garbage, make([]byte, 4<<10))
	}
	garbage = nil
	runtime.GC()
}

var sink uint64

func mix(x uint64) uint64 {
	for i := 0; i < 50; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// compute runs for so long that it is preempted, beside another that does too.
func compute() {
	var done sync.WaitGroup
	for i := 0; i < 2*runtime.GOMAXPROCS(0); i++ {
		done.Add(1)
		go func() {
			end := time.Now().Add(40 * time.Millisecond)
			for time.Now().Before(end) {
				for i := 0; i < 1000; i++ {
					sink += mix(uint64(i))
				}
			}
			done.Done()
		}()
	}
	done.Wait()
}

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	waits := make(chan bool)
	go func() { <-waits }()
	go slowCall()
	time.Sleep(time.Millisecond)
	file, err := os.Create(*output)
	check(err)
	if *samples {
		check(pprof.StartCPUProfile(nowhere{}))
	}
	check(trace.Start(file))
	for i := 0; i < *rounds; i++ {
		annotate(func() {
			channels()
			locks()
		})
		network(listener)
		calls()
		allocate()
		if *preempt {
			compute()
		}
	}
	waits <- true
	trace.Stop()
	if *samples {
		pprof.StopCPUProfile()
	}
	check(file.Close())
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
