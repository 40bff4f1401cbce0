//go:build trace && go1.21 && unix

package functrace

import (
	"os"
	"runtime"
	"syscall"
)

// A sinkKind selects what keeps lines from mixing.
type sinkKind int

const (
	lockedKind sinkKind = iota // a lock around every write
	atomicKind                 // the kernel: files and memory devices
	pipeKind                   // the kernel for lines up to PIPE_BUF bytes, a lock beyond
	nullKind                   // nothing: what is written is discarded
)

// Device numbers on Linux, see Documentation/admin-guide/devices.txt: that of /dev/null, and the
// major number that it shares with zero and full.
const (
	nullDevice    = 1<<8 | 3
	memoryDevices = 1
)

// POSIX requires at least 512; Linux has 4096, see pipe(7).
const pipeBuf = 4096

// newSink returns a sink for standard output or standard error.
func newSink(file *os.File, stdout bool) *sink {
	s := sinkTo(streamOutput(descriptorNumber(file), file.Name()))
	s.file, s.stdout = file, stdout
	s.raw, _ = file.SyscallConn()
	return s
}

// descriptorNumber returns the descriptor of file. file.Fd would make the file blocking.
func descriptorNumber(file *os.File) (number int) {
	number = noStream
	if raw, err := file.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { number = int(fd) })
	}
	return number
}

func sinkTo(o *output) *sink { return &sink{output: o, kind: kindOf(int(o.number.Load()))} }

// kindOf relies on Linux alone, where a write to a file or such a device is not interrupted by
// another: see write(2) and the locking of f_pos in Linux 3.14. A terminal needs the lock, since
// a signal can cut a long line short.
func kindOf(number int) sinkKind {
	var stat syscall.Stat_t
	if runtime.GOOS != "linux" || syscall.Fstat(number, &stat) != nil {
		return lockedKind
	}
	switch format := stat.Mode & syscall.S_IFMT; {
	case format == syscall.S_IFCHR && stat.Rdev == nullDevice:
		return nullKind
	case format == syscall.S_IFREG,
		format == syscall.S_IFCHR && stat.Rdev>>8 == memoryDevices:
		return atomicKind
	case format == syscall.S_IFIFO:
		return pipeKind
	}
	return lockedKind
}

// putOwn bypasses os.File, which would serialize writes. Control keeps the descriptor of standard
// output open even while the program closes the file.
//
//go:norace
func (s *sink) putOwn(t *trackPrinting) error {
	switch {
	case s.kind == nullKind:
		return nil
	case s.kind == atomicKind:
	case s.kind == pipeKind && len(t.line) <= pipeBuf:
		s.mu.RLock()
		defer s.mu.RUnlock()
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	if s.raw == nil {
		return s.output.write(t.line)
	}
	t.output = s.output
	if err := s.raw.Control(t.writeLine); err != nil {
		return err
	}
	return t.err
}

// writeTo writes the line of t to t.output and stores the error.
//
//go:norace
func (t *trackPrinting) writeTo(uintptr) { t.err = t.output.write(t.line) }

// writeAll writes the whole line to a descriptor.
func writeAll(fd int, line []byte) error {
	for len(line) > 0 {
		n, err := syscall.Write(fd, line)
		switch err {
		case nil:
			line = line[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			waitUntilWritable(fd) // a named pipe, or the program made standard output non-blocking
		default:
			return err
		}
	}
	return nil
}
