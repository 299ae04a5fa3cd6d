//go:build !go1.25

package main

import (
	"io"
	"time"

	"golang.org/x/exp/trace"
)

var fr *trace.FlightRecorder

func start() error {
	fr = trace.NewFlightRecorder()
	fr.SetPeriod(1200 * time.Millisecond)
	return fr.Start()
}
func write(w io.Writer) error { _, err := fr.WriteTo(w); return err }
func stop()                   { fr.Stop() }
