// Burst plants a backlog: thousands of goroutines are started faster than they can be run.
package main

import (
	"sync"
	"time"

	"example.org/planted/internal/plant"
)

type importer struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	late time.Duration
	at   time.Time
}

func (im *importer) row(made time.Time) {
	defer im.wg.Done()
	late := time.Since(made)
	im.mu.Lock()
	if late > im.late {
		im.late, im.at = late, made
	}
	im.mu.Unlock()
	plant.Burn(400 * time.Microsecond)
}

func (im *importer) load(rows int) {
	for i := 0; i < rows; i++ {
		im.wg.Add(1)
		go im.row(time.Now())
	}
}

func main() {
	plant.Setup()
	im := new(importer)
	plant.Start()
	rows := 1200 * min(plant.Procs(), 2)
	for i := 0; i < 3; i++ {
		im.load(rows)
		plant.Nap(60)
	}
	im.wg.Wait()
	plant.Fault("backlog", "main.(*importer).row", im.at, im.late, "starter", "main.(*importer).load", "count", 3*rows)
	plant.Stop()
}
