//go:build trace && go1.21 && unix

package functrace

import (
	"os"
	"runtime"
	"syscall"
)

// A sinkKind says what keeps lines from mixing.
type sinkKind int

const (
	lockedKind sinkKind = iota // a lock around every write
	atomicKind                 // the kernel: files and devices of memory
	pipeKind                   // the kernel for lines up to PIPE_BUF bytes, a lock beyond
	nullKind                   // nothing: what is written is discarded
)

// Device numbers on Linux, see its Documentation/admin-guide/devices.txt: /dev/null's,
// and the major number that it shares with zero and full.
const (
	nullDevice    = 1<<8 | 3
	memoryDevices = 1
)

// POSIX wants at least 512; Linux has 4096, see pipe(7).
const pipeBuf = 4096

func newSink(file *os.File, stdout bool) *sink {
	s := sinkTo(streamOutput(descriptorNumber(file), file.Name()))
	s.file, s.stdout = file, stdout
	s.raw, _ = file.SyscallConn()
	return s
}

// descriptorNumber returns what file.Fd does, which would make the file a blocking one.
func descriptorNumber(file *os.File) (number int) {
	number = noStream
	if raw, err := file.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { number = int(fd) })
	}
	return number
}

func sinkTo(o *output) *sink { return &sink{output: o, kind: kindOf(int(o.number.Load()))} }

// kindOf relies on Linux alone: there a write to a file or to such a device is
// not interrupted by another, see write(2) and Linux 3.14's locking of f_pos. A
// terminal takes the lock, since a signal can cut a long line short in it.
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

// putOwn writes past os.File, which would let one goroutine write at a time. The
// descriptor of standard output stays open through Control even while the program closes the file.
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

//go:norace
func (t *trackPrinting) writeTo(uintptr) { t.err = t.output.write(t.line) }

func writeAll(fd int, line []byte) error {
	for len(line) > 0 {
		n, err := syscall.Write(fd, line)
		switch err {
		case nil:
			line = line[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			waitUntilWritable(fd) // a named pipe, or somebody made standard output so
		default:
			return err
		}
	}
	return nil
}
