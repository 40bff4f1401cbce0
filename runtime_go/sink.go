//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// A sink is where lines go. A line has been handed to the system when write
// returns, so that none is lost however the program ends, and lines never mix.
type sink struct {
	*output
	file    *os.File        // of standard output and standard error
	raw     syscall.RawConn // of file
	stdout  bool            // follow os.Stdout wherever the program points it
	kind    sinkKind
	mu      sync.RWMutex // see put
	room    atomic.Int64 // bytes that may yet be written, if the sink is bounded
	bounded bool
}

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

// openPath opens a file to append to, since child processes inherit the setting and share the
// file. It may wait for a reader if the file is a named pipe.
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

// errFull ends tracing before a program fills the disk with call chains.
var errFull = errors.New("the file has reached FUNCTRACE_MAX_SIZE")

// write puts the line of t out.
func (s *sink) write(t *trackPrinting) {
	if err := s.put(t); err != nil {
		disableTracing(errors.New("cannot write: " + err.Error()))
	}
}

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

// currentStdout reads a variable that the program may be setting, as fmt does.
//
//go:norace
func currentStdout() *os.File { return os.Stdout }
