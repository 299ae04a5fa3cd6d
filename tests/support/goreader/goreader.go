// Goreader reads many traces with Go's own reader in one process, so that a differential test need not start a program for each.
//
// It takes one path a line on standard input. For each it answers with one line of JSON and then exactly "bytes" bytes of text: the
// events as `go tool trace -d=parsed` prints them, up to the error if there was one. A panic of the reader is a rejection.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/exp/trace"
)

type verdict struct {
	Path     string `json:"path"`
	Accepted bool   `json:"accepted"`
	Panicked bool   `json:"panicked"`
	Early    bool   `json:"early"` // says that the trace ended, but left bytes unread
	Error    string `json:"error"`
	Events   int    `json:"events"`
	Bytes    int    `json:"bytes"`
}

// A mutant may repeat an event for as long as a counter runs; nobody needs more text than this of one.
const maxText = 256 << 20

var errTooLong = errors.New("goreader: too many events to print")

func read(path string, text *bytes.Buffer) (v verdict) {
	v.Path = path
	fail := func(err error) { v.Error = err.Error() }
	defer func() {
		if r := recover(); r != nil {
			v.Accepted, v.Panicked, v.Error = false, true, fmt.Sprint(r)
		}
		v.Bytes = text.Len()
	}()
	file, err := os.Open(path)
	if err != nil {
		fail(err)
		return v
	}
	defer file.Close()
	// The reader uses a buffer that it is given, so that it can be asked what is left.
	buffer := bufio.NewReaderSize(file, 1<<16)
	reader, err := trace.NewReader(buffer)
	if err != nil {
		fail(err)
		return v
	}
	for {
		event, err := reader.ReadEvent()
		if err == io.EOF {
			v.Accepted = true
			_, rest := buffer.ReadByte()
			v.Early = rest == nil
			return v
		}
		if err == nil && text.Len() > maxText {
			err = errTooLong
		}
		if err != nil {
			fail(err)
			return v
		}
		// Printing first: it may panic on events that the reader let pass, and such an event was not read.
		line := event.String()
		text.WriteString(line)
		text.WriteByte('\n')
		v.Events++
	}
}

func main() {
	time.Local = time.UTC // wall times are printed; the machine's zone is no property of a trace
	paths := bufio.NewScanner(os.Stdin)
	paths.Buffer(nil, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	var text bytes.Buffer
	for paths.Scan() {
		text.Reset()
		line, err := json.Marshal(read(paths.Text(), &text))
		if err == nil {
			out.Write(line)
			out.WriteByte('\n')
			out.Write(text.Bytes())
			err = out.Flush()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "goreader:", err)
			os.Exit(1)
		}
	}
	if err := paths.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "goreader:", err)
		os.Exit(1)
	}
}
