// Longcall plants one long runner on the only P (run it with GOMAXPROCS=1): an assembly routine that can't be
// interrupted runs while short handlers stand runnable.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

func encryptWhole(box cipher.AEAD, out, in []byte) int {
	return len(box.Seal(out[:0], make([]byte, 12), in, nil))
}

func handle(requests chan time.Time, wg *sync.WaitGroup) {
	defer wg.Done()
	for asked := range requests {
		if late := time.Since(asked); late > 30*time.Millisecond {
			plant.Fault("long-runner", "main.encryptWhole", asked, late, "victim", "main.handle")
		}
		plant.Burn(100 * time.Microsecond)
	}
}

func main() {
	plant.Setup()
	block, err := aes.NewCipher(make([]byte, 32))
	plant.Check(err)
	box, err := cipher.NewGCM(block)
	plant.Check(err)
	const size = 400 << 20
	in, out := plant.Touched(size), plant.Touched(size+4096)
	requests, wg := make(chan time.Time, 16), new(sync.WaitGroup)
	plant.Start()
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go handle(requests, wg)
	}
	for round := 0; round < 4; round++ {
		plant.Nap(60)
		for i := 0; i < 4; i++ {
			requests <- time.Now()
		}
		encryptWhole(box, out, in)
	}
	close(requests)
	wg.Wait()
	plant.Stop()
}
