package main

import "runtime"

func yieldOnce() { runtime.Gosched() }
