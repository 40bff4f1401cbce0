//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// A sink writes the lines of the text output. A line has been passed to the system when write
// returns, so no line is lost however the program ends, and lines never mix.
type sink struct {
	*output
	file    *os.File        // standard output or standard error
	raw     syscall.RawConn // connection of file
	stdout  bool            // follow assignments to os.Stdout
	kind    sinkKind
	mu      sync.RWMutex // see put
	room    atomic.Int64 // remaining bytes, if the sink is bounded
	bounded bool
}

// openSink opens the output that FUNCTRACE_OUT names.
func openSink(out string, maxSize int64) (*sink, error) {
	number := streamOf(expand(out))
	switch {
	case out == "" || number == 1:
		return newSink(os.Stdout, true), nil
	case number == 2:
		return newSink(os.Stderr, false), nil
	case number != noStream:
		stream, err := openStream(number)
		if err != nil {
			return nil, outError(err)
		}
		return sinkTo(stream), nil
	}
	s, err := openPath(expand(out), maxSize)
	if err != nil {
		return nil, outError(err)
	}
	return s, nil
}

// openPath opens a file for appending, since child processes inherit the setting and share the
// file. Opening a named pipe waits for a reader.
func openPath(path string, maxSize int64) (*sink, error) {
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	file, err := openOutput(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	s := sinkTo(file)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		s.bounded = true
		s.room.Store(maxSize - info.Size())
	}
	return s, nil
}

// errFull ends tracing before the program fills the disk.
var errFull = errors.New("the file has reached FUNCTRACE_MAX_SIZE")

// write writes the line of t and disables tracing on failure.
func (s *sink) write(t *trackPrinting) {
	if err := s.put(t); err != nil {
		disableTracing(errors.New("cannot write: " + err.Error()))
	}
}

// put writes the line of t.
//
//go:norace
func (s *sink) put(t *trackPrinting) error {
	if s.stdout {
		if now := currentStdout(); now != s.file {
			// An Example test captures standard output in this way.
			s.mu.Lock()
			defer s.mu.Unlock()
			_, err := now.Write(t.line)
			return err
		}
	}
	if s.bounded && s.room.Add(-int64(len(t.line))) < 0 {
		return errFull
	}
	return s.putOwn(t)
}

// currentStdout returns os.Stdout. The read is not synchronized with assignments by the program,
// as in package fmt.
//
//go:norace
func currentStdout() *os.File { return os.Stdout }
