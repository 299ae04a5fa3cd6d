// Longpoll is harmless: a server holds many connections on which almost nothing ever happens.
package main

import (
	"bufio"
	"net"
	"time"

	"example.org/planted/internal/plant"
)

func attend(c net.Conn) {
	in := bufio.NewScanner(c)
	for in.Scan() {
		c.Write([]byte("event\n"))
	}
}

func subscribe(c net.Conn) {
	in := bufio.NewScanner(c)
	for in.Scan() {
	}
}

func main() {
	plant.Setup()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	var peers []net.Conn
	plant.Start()
	for i := 0; i < 60; i++ {
		peer, err := net.Dial("tcp", listener.Addr().String())
		plant.Check(err)
		c, err := listener.Accept()
		plant.Check(err)
		go attend(c)
		go subscribe(peer)
		peers = append(peers, peer)
	}
	for i, end := 0, time.Now().Add(plant.Span()+300*time.Millisecond); time.Now().Before(end); i++ {
		peers[i*7%len(peers)].Write([]byte("ask\n"))
		plant.Nap(25)
	}
	plant.Stop()
}
