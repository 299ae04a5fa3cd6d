// Steadygc is harmless: a program that allocates steadily, with collections, assists and sweeps of the usual size.
package main

import (
	"time"

	"example.org/planted/internal/plant"
)

type entry struct {
	key  [16]byte
	next *entry
	body []byte
}

type cache struct{ slots [4096]*entry }

func (c *cache) put(i int) {
	e := &entry{body: make([]byte, 256+i%1024)}
	slot := (i * 2654435761) % len(c.slots)
	if slot < 0 {
		slot += len(c.slots)
	}
	c.slots[slot] = e
}

func main() {
	plant.Setup()
	c := new(cache)
	plant.Start()
	for i, end := 0, time.Now().Add(plant.Span()+300*time.Millisecond); time.Now().Before(end); {
		for k := 0; k < 150; k++ {
			c.put(i)
			i++
		}
		plant.Nap(2)
	}
	plant.Stop()
}
