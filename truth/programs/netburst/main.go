// Netburst plants bursts of readiness: hundreds of connections get a message while every P computes.
package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type hub struct {
	mu    sync.Mutex
	worst time.Duration
	at    time.Time
	wg    sync.WaitGroup
}

func (h *hub) serve(c net.Conn) {
	var text [8]byte
	for {
		if _, err := io.ReadFull(c, text[:]); err != nil {
			return
		}
		sent := time.Unix(0, int64(binary.LittleEndian.Uint64(text[:])))
		late := time.Since(sent)
		h.mu.Lock()
		if late > h.worst {
			h.worst, h.at = late, sent
		}
		h.mu.Unlock()
		plant.Burn(300 * time.Microsecond)
		h.wg.Done()
	}
}

func main() {
	plant.Setup()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	plant.Check(err)
	h := new(hub)
	var peers []net.Conn
	for i := 0; i < 150*min(plant.Procs(), 2); i++ {
		peer, err := net.Dial("tcp", listener.Addr().String())
		plant.Check(err)
		c, err := listener.Accept()
		plant.Check(err)
		peers = append(peers, peer)
		go h.serve(c)
	}
	plant.Start()
	for round := 0; round < 4; round++ {
		plant.Nap(70)
		h.worst = 0
		h.wg.Add(len(peers))
		var text [8]byte
		for _, peer := range peers {
			binary.LittleEndian.PutUint64(text[:], uint64(time.Now().UnixNano()))
			peer.Write(text[:])
		}
		h.wg.Wait()
		plant.Fault("netburst", "main.(*hub).serve", h.at, h.worst)
	}
	plant.Stop()
}
