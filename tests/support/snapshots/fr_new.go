//go:build go1.25

package main

import (
	"io"
	"runtime/trace"
	"time"
)

var fr *trace.FlightRecorder

func start() error {
	fr = trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: 1200 * time.Millisecond})
	return fr.Start()
}
func write(w io.Writer) error { _, err := fr.WriteTo(w); return err }
func stop()                   { fr.Stop() }
