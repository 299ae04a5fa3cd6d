// Seal plants stops that wait for the encryption of a big block: AES-GCM is one assembly routine over all of it.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"runtime"
	"time"

	"example.org/planted/internal/plant"
)

type ledger struct {
	pages, out []byte
	box        cipher.AEAD
	sealed     chan int
	begun      chan struct{}
}

func (l *ledger) seal() {
	for range l.begun {
		l.sealed <- len(l.box.Seal(l.out[:0], make([]byte, 12), l.pages, nil))
	}
}

type gauge struct{ stats runtime.MemStats }

func (g *gauge) read() { runtime.ReadMemStats(&g.stats) }

func main() {
	plant.Setup()
	block, err := aes.NewCipher(make([]byte, 32))
	plant.Check(err)
	box, err := cipher.NewGCM(block)
	plant.Check(err)
	const size = 320 << 20
	l := &ledger{plant.Touched(size), plant.Touched(size + 4096), box, make(chan int, 1), make(chan struct{})}
	var g gauge
	plant.Start()
	go l.seal()
	for round := 0; round < 4; round++ {
		plant.Nap(70)
		l.begun <- struct{}{}
		plant.Nap(8)
		asked := time.Now()
		g.read()
		plant.Fault("stw", "main.(*ledger).seal", asked, time.Since(asked), "reason", "read mem stats", "asker", "main.(*gauge).read")
		<-l.sealed
	}
	plant.Stop()
}
