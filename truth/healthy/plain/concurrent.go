package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/healthy/internal/record"
)

func init() {
	record.Add("pipeline", pipeline)
	record.Add("tickers", tickers)
	record.Add("idle", idle)
	record.Add("children", children)
	record.Add("files", files)
	record.Add("store", store)
	record.Add("chat", chat)
	record.Add("limited", limited)
	record.Add("deadlines", deadlines)
	record.Add("logging", logging)
	record.Add("rpc", remote)
	record.Add("memstats", memstats)
	record.Add("broadcast", broadcast)
	record.Add("udp", datagrams)
	record.Add("tasks", tasks)
	record.Add("pools", pools)
	record.Add("conditions", conditions)
}

// pipeline has three stages of different speed with small buffers between them.
func pipeline(ctx context.Context) {
	lines, parsed := make(chan string, 8), make(chan int, 8)
	go func() {
		defer close(lines)
		for n := 0; ctx.Err() == nil; n++ {
			lines <- fmt.Sprintf("%d,%d,%d", n, n*2, n*3)
			if n%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	wait := crew(3, func(int) {
		for line := range lines {
			var a, b, c int
			fmt.Sscanf(line, "%d,%d,%d", &a, &b, &c)
			parsed <- a + b + c
		}
	})
	go func() {
		wait()
		close(parsed)
	}()
	record.Ready()
	total := 0
	for n := range parsed {
		total += n
	}
}

func tickers(ctx context.Context) {
	record.Ready()
	crew(20, func(i int) {
		t := time.NewTicker(time.Duration(5+i) * time.Millisecond)
		defer t.Stop()
		state := 0
		for {
			select {
			case <-t.C:
				for n := 0; n < 20000; n++ {
					state = state*31 + n
				}
			case <-ctx.Done():
				return
			}
		}
	})()
}

// idle waits for signals, a listener and a slow ticker.
func idle(ctx context.Context) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
		}
	}()
	record.Ready()
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-signals:
		case <-t.C:
		case <-ctx.Done():
			listener.Close()
			return
		}
	}
}

// children runs other programs and reads what they say.
func children(ctx context.Context) {
	record.Ready()
	crew(2, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			switch n % 3 {
			case 0:
				exec.Command("true").Run()
			case 1:
				exec.Command("sleep", "0.06").Run()
			default:
				c := exec.Command("cat")
				in, _ := c.StdinPipe()
				go func() {
					fmt.Fprintln(in, "text for the child")
					in.Close()
				}()
				c.Output()
			}
		}
	})()
}

func files(ctx context.Context) {
	dir, err := os.MkdirTemp("", "healthy")
	check(err)
	defer os.RemoveAll(dir)
	record.Ready()
	crew(4, func(i int) {
		block := make([]byte, 32<<10)
		for n := 0; ctx.Err() == nil; n++ {
			name := filepath.Join(dir, fmt.Sprintf("%d-%d", i, n%20))
			f, err := os.Create(name)
			check(err)
			w := bufio.NewWriter(f)
			for k := 0; k < 8; k++ {
				w.Write(block)
			}
			w.Flush()
			if n%10 == 0 {
				f.Sync()
			}
			f.Close()
			os.ReadFile(name)
			if n%25 == 0 {
				filepath.Walk(dir, func(string, os.FileInfo, error) error { return nil })
			}
		}
	})()
}

// store is a map behind a lock of many readers and some writers.
func store(ctx context.Context) {
	var mu sync.RWMutex
	m := map[int]int{}
	record.Ready()
	crew(8, func(i int) {
		random := rand.New(rand.NewSource(int64(i)))
		for n := 0; ctx.Err() == nil; n++ {
			key := random.Intn(10000)
			if n%20 == 0 {
				mu.Lock()
				m[key]++
				mu.Unlock()
			} else {
				mu.RLock()
				_ = m[key]
				mu.RUnlock()
			}
			if n%1000 == 0 {
				time.Sleep(2 * time.Millisecond)
			}
		}
	})()
}

// chat has a hub, members with queues of their own, and TCP between.
func chat(ctx context.Context) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	var mu sync.Mutex
	members := map[chan string]bool{}
	said := make(chan string, 64)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			queue := make(chan string, 32)
			mu.Lock()
			members[queue] = true
			mu.Unlock()
			go func() {
				w := bufio.NewWriter(c)
				for text := range queue {
					fmt.Fprintln(w, text)
					if w.Flush() != nil {
						return
					}
				}
			}()
			go func() {
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					said <- lines.Text()
				}
				mu.Lock()
				delete(members, queue)
				close(queue)
				mu.Unlock()
				c.Close()
			}()
		}
	}()
	go func() {
		for text := range said {
			mu.Lock()
			for queue := range members {
				select {
				case queue <- text:
				default: // a slow member misses it
				}
			}
			mu.Unlock()
		}
	}()
	wait := crew(20, func(i int) {
		c, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		go io.Copy(io.Discard, c)
		for n := 0; rest(ctx, time.Duration(20+i)*time.Millisecond); n++ {
			fmt.Fprintf(c, "member %d says %d\n", i, n)
		}
		c.Close()
	})
	record.Ready()
	wait()
	listener.Close()
}

// limited runs many tasks with a semaphore of a few places, as errgroup's SetLimit does.
func limited(ctx context.Context) {
	record.Ready()
	places := make(chan struct{}, 4)
	var all sync.WaitGroup
	for n := 0; ctx.Err() == nil; n++ {
		n := n
		places <- struct{}{}
		all.Add(1)
		go func() {
			defer func() {
				<-places
				all.Done()
			}()
			time.Sleep(time.Duration(n%5) * time.Millisecond)
		}()
	}
	all.Wait()
}

// deadlines has many short contexts; some end by themselves, some are cancelled.
func deadlines(ctx context.Context) {
	record.Ready()
	crew(50, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			n := n
			c, cancel := context.WithTimeout(ctx, time.Duration(5+n%20)*time.Millisecond)
			answer := make(chan int, 1)
			go func() {
				time.Sleep(time.Duration(n%30) * time.Millisecond)
				answer <- n
			}()
			select {
			case <-answer:
			case <-c.Done():
			}
			cancel()
		}
	})()
}

func logging(ctx context.Context) {
	f, err := os.CreateTemp("", "healthy")
	check(err)
	defer os.Remove(f.Name())
	logger := log.New(f, "app ", log.LstdFlags|log.Lmicroseconds)
	record.Ready()
	crew(10, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			logger.Printf("worker %d did piece %d", i, n)
			if n%20 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})()
}

type Sums struct{}

func (Sums) Add(list []int, total *int) error {
	for _, n := range list {
		*total += n
	}
	return nil
}

func remote(ctx context.Context) {
	server := rpc.NewServer()
	check(server.Register(Sums{}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go server.ServeConn(c)
		}
	}()
	c, err := rpc.Dial("tcp", listener.Addr().String())
	check(err)
	wait := crew(10, func(int) {
		list := make([]int, 200)
		for ctx.Err() == nil {
			var total int
			c.Call("Sums.Add", list, &total)
		}
	})
	record.Ready()
	wait()
	c.Close()
	listener.Close()
}

// memstats reads the runtime's figures ten times a second beside other work, as expvar and exporters do.
func memstats(ctx context.Context) {
	record.Ready()
	wait := crew(2, func(int) {
		for ctx.Err() == nil {
			list := make([][]byte, 100)
			for i := range list {
				list[i] = make([]byte, 512)
			}
			runtime.KeepAlive(list)
			time.Sleep(200 * time.Microsecond)
		}
	})
	for rest(ctx, 100*time.Millisecond) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
	}
	wait()
}

// broadcast wakes fifty waiters by closing a channel, every 20 ms.
func broadcast(ctx context.Context) {
	record.Ready()
	for ctx.Err() == nil {
		start := make(chan struct{})
		wait := crew(50, func(int) { <-start })
		time.Sleep(20 * time.Millisecond)
		close(start)
		wait()
	}
}

func datagrams(ctx context.Context) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	go func() {
		buffer := make([]byte, 2000)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			server.WriteTo(buffer[:n], from)
		}
	}()
	wait := crew(6, func(int) {
		c, err := net.Dial("udp", server.LocalAddr().String())
		check(err)
		defer c.Close()
		buffer := make([]byte, 2000)
		for ctx.Err() == nil {
			c.Write(buffer[:300])
			c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			c.Read(buffer)
		}
	})
	record.Ready()
	wait()
	server.Close()
}

// tasks uses the trace's own annotations.
func tasks(ctx context.Context) {
	record.Ready()
	crew(3, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			c, task := trace.NewTask(ctx, "job")
			trace.WithRegion(c, "prepare", func() { time.Sleep(time.Millisecond) })
			done := make(chan struct{})
			go func() {
				trace.WithRegion(c, "compute", func() {
					sum := 0
					for k := 0; k < 300000; k++ {
						sum += k * n
					}
				})
				close(done)
			}()
			<-done
			trace.Log(c, "n", "done")
			task.End()
		}
	})()
}

// pools uses a sync.Pool as it is meant.
func pools(ctx context.Context) {
	pool := sync.Pool{New: func() interface{} { return make([]byte, 64<<10) }}
	var served int64
	record.Ready()
	crew(2*procs(), func(i int) {
		for ctx.Err() == nil {
			b := pool.Get().([]byte)
			for k := range b {
				b[k] = byte(k * i)
			}
			atomic.AddInt64(&served, 1)
			pool.Put(b)
			if served%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})()
}

// conditions is a bounded queue with sync.Cond.
func conditions(ctx context.Context) {
	var mu sync.Mutex
	filled, drained := sync.NewCond(&mu), sync.NewCond(&mu)
	var queue []int
	closed := false
	consumers := crew(3, func(int) {
		for {
			mu.Lock()
			for len(queue) == 0 && !closed {
				filled.Wait()
			}
			if len(queue) == 0 {
				mu.Unlock()
				return
			}
			n := queue[0]
			queue = queue[1:]
			mu.Unlock()
			drained.Signal()
			sum := 0
			for k := 0; k < 20000; k++ {
				sum += k ^ n
			}
		}
	})
	record.Ready()
	crew(2, func(i int) {
		for n := 0; ctx.Err() == nil; n++ {
			mu.Lock()
			for len(queue) >= 16 {
				drained.Wait()
			}
			queue = append(queue, n)
			mu.Unlock()
			filled.Signal()
			if n%200 == 0 {
				time.Sleep(3 * time.Millisecond)
			}
		}
	})()
	mu.Lock()
	closed = true
	mu.Unlock()
	filled.Broadcast()
	consumers()
}
