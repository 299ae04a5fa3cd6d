// +build go1.11

package main

import (
	"context"
	"runtime/pprof"
	"runtime/trace"
)

// annotate runs work in a task and a region, with a log and a label.
func annotate(work func()) {
	ctx, task := trace.NewTask(context.Background(), "round")
	defer task.End()
	trace.Log(ctx, "step", "channels and locks")
	trace.WithRegion(ctx, "work", func() {
		pprof.Do(ctx, pprof.Labels("part", "first"), func(context.Context) { work() })
	})
}
