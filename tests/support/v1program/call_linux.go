package main

import "syscall"

// slowCall sleeps in the kernel for 3 ms.
func slowCall() {
	ts := syscall.Timespec{Nsec: 3000000}
	syscall.Nanosleep(&ts, nil)
}
