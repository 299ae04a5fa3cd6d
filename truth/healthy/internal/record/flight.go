//go:build go1.25
// +build go1.25

package record

import (
	"os"
	"runtime/trace"
	"time"
)

func flight(f *os.File, last time.Duration) (end func()) {
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: last, MaxBytes: 64 << 20})
	Check(recorder.Start())
	return func() {
		_, err := recorder.WriteTo(f)
		Check(err)
		recorder.Stop()
	}
}
