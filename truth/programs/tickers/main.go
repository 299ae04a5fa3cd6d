// Tickers is harmless: dozens of goroutines wake by timers, do next to nothing, and wait again; some only after long.
package main

import (
	"context"
	"time"

	"example.org/planted/internal/plant"
)

type sensor struct{ readings int }

func (s *sensor) sample(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.readings++
			plant.Burn(10 * time.Microsecond)
		}
	}
}

func main() {
	plant.Setup()
	ctx, cancel := context.WithCancel(context.Background())
	plant.Start()
	for i := 0; i < 40; i++ {
		go new(sensor).sample(ctx, time.Duration(10+i*i)*time.Millisecond)
	}
	time.Sleep(plant.Span() + 300*time.Millisecond)
	cancel()
	plant.Nap(20)
	plant.Stop()
}
