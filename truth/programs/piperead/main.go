// Piperead is harmless: a dedicated goroutine sits in a blocking read of a pipe (mode stdin: of standard input), and
// another waits for a child process (mode child). Nobody waits for them.
package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"

	"example.org/planted/internal/plant"
)

func follow(fd int, lines chan int) {
	var text [256]byte
	for {
		n, err := syscall.Read(fd, text[:])
		if n <= 0 || err != nil {
			return
		}
		lines <- n
	}
}

func supervise(command *exec.Cmd, gone chan error) { gone <- command.Run() }

func count(lines chan int) {
	sum := 0
	for n := range lines {
		sum += n
	}
}

func main() {
	plant.Setup()
	var ends [2]int
	plant.Check(syscall.Pipe(ends[:]))
	if plant.Mode() == "stdin" {
		plant.Check(syscall.Dup2(ends[0], 0))
		ends[0] = 0
	}
	lines, gone := make(chan int), make(chan error, 1)
	plant.Start()
	if plant.Mode() == "child" {
		go supervise(exec.Command("sleep", "0.6"), gone)
	} else {
		go follow(ends[0], lines)
		go count(lines)
	}
	for i, end := 0, time.Now().Add(plant.Span()+200*time.Millisecond); time.Now().Before(end); i++ {
		plant.Burn(200 * time.Microsecond)
		plant.Nap(10)
		if i%15 == 14 && plant.Mode() != "child" {
			syscall.Write(ends[1], []byte("line\n"))
		}
	}
	if plant.Mode() == "child" {
		<-gone
	}
	plant.Stop()
	os.Exit(0)
}
