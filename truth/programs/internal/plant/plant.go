// Package plant is what all programs of the benchmark share: it starts and stops the trace, and writes down
// what was planted as the program itself measured it, one JSON object a line. It builds with Go 1.9 and later.
package plant

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/ioutil"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"sync"
	"time"
)

var (
	traceTo = flag.String("trace", "", "write the execution trace here")
	truthTo = flag.String("truth", "", "write what was planted here")
	procs   = flag.Int("procs", 2, "GOMAXPROCS")
	mode    = flag.String("mode", "", "which variant to plant")
	span    = flag.Duration("span", 700*time.Millisecond, "how long a steady load lasts")
	samples = flag.Bool("samples", false, "run a CPU profile, so that its samples stand in the trace")

	traceFile *os.File
	zero      time.Time
	lines     struct {
		sync.Mutex
		bytes.Buffer
	}
)

// Setup reads the command line. Costly preparations belong between Setup and Start.
func Setup() {
	flag.Parse()
	runtime.GOMAXPROCS(*procs)
}

func Mode() string        { return *mode }
func Procs() int          { return *procs }
func Span() time.Duration { return *span }

// Start begins the recording; the times of what is planted count from here.
func Start() {
	runtime.GC()
	if *samples {
		Check(pprof.StartCPUProfile(ioutil.Discard))
	}
	f, err := os.Create(*traceTo)
	Check(err)
	traceFile = f
	Check(trace.Start(f))
	zero = time.Now()
	write(map[string]interface{}{"kind": "started", "unix_ns": zero.UnixNano(), "pid": os.Getpid(), "go": runtime.Version(), "procs": *procs, "mode": *mode})
	fmt.Println("started") // the driver waits for this
	time.Sleep(20 * time.Millisecond)
}

// Stop ends the recording and writes the truth.
func Stop() {
	write(map[string]interface{}{"kind": "stopped", "at_ms": ms(time.Since(zero))})
	trace.Stop()
	if *samples {
		pprof.StopCPUProfile()
	}
	Check(traceFile.Close())
	if *truthTo != "" {
		Check(ioutil.WriteFile(*truthTo, lines.Bytes(), 0644))
	}
}

// Fault notes one planted occurrence: what kind, whose function, from when and for how long; more as key, value, ….
func Fault(kind, function string, from time.Time, lasted time.Duration, more ...interface{}) {
	line := map[string]interface{}{"kind": kind, "func": function, "at_ms": ms(from.Sub(zero)), "ms": ms(lasted), "goroutine": ID()}
	for i := 0; i+1 < len(more); i += 2 {
		line[more[i].(string)] = more[i+1]
	}
	write(line)
}

func write(line map[string]interface{}) {
	text, err := json.Marshal(line)
	Check(err)
	lines.Lock()
	lines.Write(text)
	lines.WriteByte('\n')
	lines.Unlock()
}

func ms(d time.Duration) float64 { return float64(d/time.Microsecond) / 1000 }

// ID is the number by which the trace knows the calling goroutine.
func ID() int {
	var text [40]byte
	fields := bytes.Fields(text[:runtime.Stack(text[:], false)])
	id, _ := strconv.Atoi(string(fields[1]))
	return id
}

// Check ends the program on an error that the machine, not the program, is to blame for.
func Check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot plant:", err)
		os.Exit(2)
	}
}

// Burn computes for about d, with calls that any stop or preemption can use.
func Burn(d time.Duration) uint64 {
	sum := uint64(1)
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := 0; i < 300; i++ {
			sum = mix(sum)
		}
	}
	return sum
}

//go:noinline
func mix(x uint64) uint64 {
	x ^= x >> 29
	x *= 0x9e3779b97f4a7c15
	return x ^ x<<11
}

// Touched makes a block of so many bytes whose pages are all there.
func Touched(size int) []byte {
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = byte(i>>12) | 1
	}
	return block
}

// Nap sleeps in whole, for pauses between what is planted.
func Nap(milliseconds int) { time.Sleep(time.Duration(milliseconds) * time.Millisecond) }
