// Idleside plants idle P's beside waiting work: the threads that should take the work up are kept off the CPU by
// neighbours of higher priority, while the one that has the work computes on in an assembly routine.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"example.org/planted/internal/plant"
)

const idlePolicy = 5 // SCHED_IDLE

func hogMain() {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		plant.Burn(10 * time.Millisecond)
	}
}

// demoteOthers leaves the calling thread as it is and gives all others only what the neighbours leave over.
func demoteOthers() {
	self := syscall.Gettid()
	tasks, err := os.ReadDir("/proc/self/task")
	plant.Check(err)
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		if tid == self {
			continue
		}
		var priority int32
		_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, uintptr(tid), idlePolicy, uintptr(unsafe.Pointer(&priority)))
		if errno != 0 {
			plant.Check(errno)
		}
	}
}

func chore(made time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	if late := time.Since(made); late > 20*time.Millisecond {
		plant.Fault("idle", "main.chore", made, late, "victim", "main.chore")
	}
}

// warm makes threads in advance: one made later would be as privileged as the thread that made it.
func warm(threads int) {
	var wg sync.WaitGroup
	for i := 0; i < threads; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ts := syscall.NsecToTimespec(30e6)
			syscall.Nanosleep(&ts, nil)
		}()
	}
	wg.Wait()
}

func signalAll(hogs []*exec.Cmd, sig os.Signal) {
	for _, hog := range hogs {
		hog.Process.Signal(sig)
	}
}

func press(box cipher.AEAD, out, in []byte) { box.Seal(out[:0], make([]byte, 12), in, nil) }

func main() {
	if os.Getenv("PLANT_HOG") != "" {
		hogMain()
		return
	}
	plant.Setup()
	block, err := aes.NewCipher(make([]byte, 32))
	plant.Check(err)
	box, err := cipher.NewGCM(block)
	plant.Check(err)
	const size = 160 << 20
	in, out := plant.Touched(size), plant.Touched(size+4096)
	var hogs []*exec.Cmd
	for i := 0; i < 2*runtime.NumCPU(); i++ {
		hog := exec.Command(os.Args[0])
		hog.Env = append(os.Environ(), "PLANT_HOG=1", "GOMAXPROCS=1")
		hog.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		plant.Check(hog.Start())
		hogs = append(hogs, hog)
	}
	signalAll(hogs, syscall.SIGSTOP)
	warm(12)
	runtime.LockOSThread()
	plant.Start()
	demoteOthers()
	var wg sync.WaitGroup
	for round := 0; round < 4; round++ {
		plant.Nap(30)
		signalAll(hogs, syscall.SIGCONT)
		wg.Add(3)
		for i := 0; i < 3; i++ {
			go chore(time.Now(), &wg)
		}
		press(box, out, in)
		signalAll(hogs, syscall.SIGSTOP)
		wg.Wait()
	}
	for _, hog := range hogs {
		hog.Process.Kill() // works on a stopped process too
		hog.Wait()
	}
	plant.Stop()
}
