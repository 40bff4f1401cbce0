//go:build trace && go1.21 && !unix

package functrace

// Sinks on systems without Unix descriptors.

import "os"

type sinkKind struct{}

func newSink(file *os.File, stdout bool) *sink {
	return &sink{output: &output{File: file}, file: file, stdout: stdout}
}

func sinkTo(o *output) *sink { return &sink{output: o} }

//go:norace
func (s *sink) putOwn(t *trackPrinting) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.output.Write(t.line)
	return err
}

func (*trackPrinting) writeTo(uintptr) {}

func (*sink) isIntact() bool { return true }
