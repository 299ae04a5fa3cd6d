// Hellos is harmless: many short connections, each with a goroutine of its own; nearly all of them are handed out by one P's polls.
package main

import (
	"io"
	"net"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func greet(c net.Conn) {
	defer c.Close()
	var text [16]byte
	if _, err := io.ReadFull(c, text[:]); err == nil {
		c.Write(text[:])
	}
}

func call(address string, until time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	var text [16]byte
	for time.Now().Before(until) {
		c, err := net.Dial("tcp", address)
		plant.Check(err)
		c.Write(text[:])
		io.ReadFull(c, text[:])
		c.Close()
		time.Sleep(3 * time.Millisecond)
	}
}

func main() {
	plant.Setup()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go greet(c)
		}
	}()
	var wg sync.WaitGroup
	plant.Start()
	until := time.Now().Add(plant.Span())
	for i := 0; i < 6; i++ {
		wg.Add(1)
		go call(listener.Addr().String(), until, &wg)
	}
	wg.Wait()
	plant.Stop()
}
