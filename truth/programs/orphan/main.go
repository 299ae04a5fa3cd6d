// Orphan plants channel sends that nobody will ever receive, one more every few milliseconds.
package main

import (
	"time"

	"example.org/planted/internal/plant"
)

type reply struct{ n int }

func askShard(n int, out chan<- *reply) {
	plant.Burn(50 * time.Microsecond)
	out <- &reply{n}
}

// firstOf takes the fastest answer and forgets the rest.
func firstOf(shards int) *reply {
	out := make(chan *reply)
	for i := 0; i < shards; i++ {
		go askShard(i, out)
	}
	return <-out
}

func main() {
	plant.Setup()
	plant.Start()
	from := time.Now()
	end := from.Add(plant.Span() + 500*time.Millisecond)
	calls := 0
	for time.Now().Before(end) {
		firstOf(3)
		calls++
		plant.Nap(8)
	}
	plant.Fault("leak", "main.askShard", from, time.Since(from), "count", 2*calls)
	plant.Stop()
}
