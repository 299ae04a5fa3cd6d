// Quickstops is harmless: a few hundred stops, each over in no time, and far apart enough.
package main

import (
	"runtime"
	"time"

	"example.org/planted/internal/plant"
)

func scrape(every time.Duration, until time.Time) {
	var stats runtime.MemStats
	for time.Now().Before(until) {
		runtime.ReadMemStats(&stats)
		time.Sleep(every)
	}
}

func main() {
	plant.Setup()
	plant.Start()
	scrape(6*time.Millisecond, time.Now().Add(plant.Span()+800*time.Millisecond))
	plant.Stop()
}
