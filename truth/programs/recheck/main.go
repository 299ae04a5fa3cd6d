// Recheck plants slow mark terminations (run it with GODEBUG=gccheckmark=1): each collection marks everything once more
// while the world stands.
package main

import (
	"runtime"
	"runtime/debug"
	"time"

	"example.org/planted/internal/plant"
)

type knot struct{ a, b *knot }

func tie(n int) []*knot {
	all := make([]*knot, n)
	for i := range all {
		all[i] = new(knot)
		if i > 0 {
			all[i].a, all[i].b = all[i/2], all[i*7919%i]
		}
	}
	return all
}

func main() {
	plant.Setup()
	debug.SetGCPercent(-1)
	all := tie(3 << 20)
	plant.Start()
	for round := 0; round < 3; round++ {
		plant.Nap(40)
		from := time.Now()
		runtime.GC()
		var pauses debug.GCStats
		debug.ReadGCStats(&pauses)
		longest := time.Duration(0)
		for _, p := range pauses.Pause[:2] {
			longest = max(longest, p)
		}
		plant.Fault("gcterm", "", from, longest)
	}
	plant.Nap(20)
	plant.Stop()
	runtime.KeepAlive(all)
}
