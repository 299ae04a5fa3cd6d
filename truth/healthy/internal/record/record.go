// Package record runs one of a program's workloads while an execution trace is written, and whatever else was asked for
// beside it: a CPU profile, a dump of all goroutines. It builds with Go 1.17 and later.
package record

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sort"
	"time"
)

// Workload does its work until the context ends, and then cleans up. What it needs ready is made before it calls Ready.
type Workload func(ctx context.Context)

var (
	workloads = map[string]Workload{}
	ready     = make(chan struct{})

	traceTo = flag.String("trace", "", "write the execution trace here")
	cpuTo   = flag.String("cpu", "", "write a CPU profile here")
	dumpTo  = flag.String("dump", "", "write all goroutines here, in the middle of the time")
	span    = flag.Duration("span", 2*time.Second, "how long to record")
	warm    = flag.Duration("warm", 200*time.Millisecond, "how long the workload runs before the recording")
	last    = flag.Duration("last", 0, "let a flight recorder keep so much, and write what it has at the end")
	list    = flag.Bool("list", false, "print the names of the workloads")
)

// Add makes a workload known by its name.
func Add(name string, w Workload) { workloads[name] = w }

// Ready says that all is set up: the recording may begin.
func Ready() { close(ready) }

// Main is the whole of a program's main.
func Main() {
	flag.Parse()
	if *list {
		var names []string
		for name := range workloads {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	work := workloads[flag.Arg(0)]
	if work == nil {
		fmt.Fprintf(os.Stderr, "no workload %q (-list prints their names)\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		work(ctx)
		close(done)
	}()
	<-ready
	time.Sleep(*warm)
	stop := start()
	if *dumpTo != "" {
		time.Sleep(*span / 2)
		dump()
		time.Sleep(*span / 2)
	} else {
		time.Sleep(*span)
	}
	stop()
	cancel()
	<-done
}

func start() (stop func()) {
	if *cpuTo != "" {
		f := create(*cpuTo)
		Check(pprof.StartCPUProfile(f))
	}
	f := create(*traceTo)
	var end func()
	if *last > 0 {
		end = flight(f, *last)
	} else {
		Check(trace.Start(f))
		end = trace.Stop
	}
	return func() {
		end()
		if *cpuTo != "" {
			pprof.StopCPUProfile()
		}
		Check(f.Close())
	}
}

func dump() {
	text := make([]byte, 8<<20)
	n := runtime.Stack(text, true)
	f := create(*dumpTo)
	_, err := f.Write(text[:n])
	Check(err)
	Check(f.Close())
}

func create(name string) *os.File {
	f, err := os.Create(name)
	Check(err)
	return f
}

// Check ends the program on an error.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "healthy:", err)
		os.Exit(2)
	}
}
