// +build !go1.11

package main

func annotate(work func()) { work() }
