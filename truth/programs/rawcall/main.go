// Rawcall plants raw system calls that the scheduler doesn't hear of: the P stays with the sleeping thread.
// Mode gc: a collection waits for it. Mode wait: others stand runnable behind it (GOMAXPROCS=1).
package main

import (
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"example.org/planted/internal/plant"
)

// device is a timer of the kernel: unlike a sleep, a read of it goes on after a signal.
type device struct {
	fd     uintptr
	settle time.Duration
}

func newDevice(settle time.Duration) *device {
	const monotonic = 1
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, 0, 0)
	if errno != 0 {
		plant.Check(errno)
	}
	return &device{fd, settle}
}

func (d *device) ioctl() {
	at := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(d.settle))}
	var ticks uint64
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, d.fd, 0, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	syscall.RawSyscall(syscall.SYS_READ, d.fd, uintptr(unsafe.Pointer(&ticks)), 8)
}

func (d *device) drive(orders chan time.Time, ends chan time.Time) {
	for range orders {
		d.ioctl()
		ends <- time.Now()
	}
}

func react(bell chan time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for rung := range bell {
		if late := time.Since(rung); late > 20*time.Millisecond {
			plant.Fault("raw-wait", "main.(*device).ioctl", rung, late, "victim", "main.react")
		}
	}
}

func main() {
	plant.Setup()
	d := newDevice(90 * time.Millisecond)
	orders, ends := make(chan time.Time), make(chan time.Time, 1)
	plant.Start()
	go d.drive(orders, ends)
	if plant.Mode() == "gc" {
		for round := 0; round < 3; round++ {
			plant.Nap(50)
			orders <- time.Now()
			plant.Nap(5)
			asked := time.Now()
			runtime.GC()
			end := <-ends
			plant.Fault("stw", "main.(*device).ioctl", asked, end.Sub(asked), "reason", "GC sweep termination", "asker", "main.main")
		}
	} else {
		bell, wg := make(chan time.Time, 8), new(sync.WaitGroup)
		wg.Add(2)
		go react(bell, wg)
		go react(bell, wg)
		for round := 0; round < 4; round++ {
			plant.Nap(50)
			bell <- time.Now()
			bell <- time.Now()
			orders <- time.Now()
			<-ends
		}
		close(bell)
		wg.Wait()
	}
	plant.Stop()
}
