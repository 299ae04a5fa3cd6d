// Stuckcall plants one goroutine in a blocking system call while others wait for what it holds.
// The mode names the call: pipe, flock, nap, fifo.
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/trace"
	"sync"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

type vault struct {
	mu   sync.Mutex
	keys int
}

func readPipe(fd int) {
	var b [1]byte
	syscall.Read(fd, b[:])
}

func lockFile(fd int) { plant.Check(syscall.Flock(fd, syscall.LOCK_EX)) }

func sleepInKernel(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&ts, nil)
}

func openFifo(path string) {
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	plant.Check(err)
	syscall.Close(fd)
}

// refresh calls the system while it holds the vault.
func (v *vault) refresh(name string, call func()) {
	ctx, task := trace.NewTask(context.Background(), "refresh")
	defer task.End()
	trace.Log(ctx, "call", name)
	v.mu.Lock()
	defer v.mu.Unlock()
	from := time.Now()
	call()
	plant.Fault("stuck", "main."+name, from, time.Since(from), "holder", "main.(*vault).refresh", "victim", "main.(*vault).use")
	v.keys++
}

func (v *vault) use(wg *sync.WaitGroup) {
	defer wg.Done()
	v.mu.Lock()
	v.keys++
	v.mu.Unlock()
}

func main() {
	plant.Setup()
	dir, err := os.MkdirTemp("", "calls")
	plant.Check(err)
	defer os.RemoveAll(dir)
	fifo := filepath.Join(dir, "fifo")
	plant.Check(syscall.Mkfifo(fifo, 0o600))
	open := func() int {
		fd, err := syscall.Open(filepath.Join(dir, "lock"), syscall.O_RDWR|syscall.O_CREAT, 0o600)
		plant.Check(err)
		return fd
	}
	mine, theirs := open(), open()
	var ends [2]int
	plant.Check(syscall.Pipe(ends[:]))
	v := new(vault)
	var wg sync.WaitGroup
	plant.Start()
	for round := 0; round < 2; round++ {
		name, call, release := "", func() {}, func() {}
		switch plant.Mode() {
		case "pipe":
			name, call = "readPipe", func() { readPipe(ends[0]) }
			release = func() { syscall.Write(ends[1], []byte{1}) }
		case "flock":
			plant.Check(syscall.Flock(theirs, syscall.LOCK_EX))
			name, call = "lockFile", func() { lockFile(mine); syscall.Flock(mine, syscall.LOCK_UN) }
			release = func() { syscall.Flock(theirs, syscall.LOCK_UN) }
		case "nap":
			name, call = "sleepInKernel", func() { sleepInKernel(180 * time.Millisecond) }
		case "fifo":
			name, call = "openFifo", func() { openFifo(fifo) }
			release = func() {
				fd, err := syscall.Open(fifo, syscall.O_WRONLY, 0)
				plant.Check(err)
				syscall.Close(fd)
			}
		}
		go v.refresh(name, call)
		plant.Nap(20)
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go v.use(&wg)
		}
		plant.Nap(150)
		release()
		wg.Wait()
		plant.Nap(40)
	}
	plant.Stop()
}
