//go:build trace && go1.21 && unix

package functrace

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// An output is an open file or stream of the recorder. The program may close the descriptor, as
// daemons close all that they inherit, and open its own file under the same number: so the
// recorder compares the identity of the file before each use.
type output struct {
	name        string // for messages
	path        string // absolute; empty for a stream
	flags       int
	isAnonymous bool // not linked at its path yet
	file        identity
	mu          sync.Mutex // held to reopen the file
	number      atomic.Int64
}

// An identity distinguishes a file from all others that exist at the same time.
type identity struct{ device, inode uint64 }

//go:norace
func identityByFstat(number int) (identity, error) {
	var stat syscall.Stat_t
	err := syscall.Fstat(number, &stat)
	return identity{uint64(stat.Dev), uint64(stat.Ino)}, err
}

// readFile returns the first bytes of a small file. os.ReadFile would start the Go runtime's
// poller, whose descriptors the program would notice, and a daemon that closes all descriptors
// does not survive losing them.
func readFile(path string) (string, error) {
	number, err := syscall.Open(path, os.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer syscall.Close(number)
	var content [1 << 10]byte
	n, err := syscall.Read(number, content[:])
	return string(content[:max(n, 0)]), err
}

// openOutput opens the file at path, which is made absolute.
func openOutput(path string, flags int) (*output, error) {
	number, err := openFile(path, flags)
	if err != nil {
		return nil, err
	}
	o := streamOutput(number, path)
	o.path = absolute(path)
	o.flags = flags &^ (os.O_CREATE | os.O_EXCL)
	return o, nil
}

// absolute returns the path in a form that stays valid when the program changes its working
// directory.
func absolute(path string) string {
	folder, err := os.Getwd()
	if err != nil || path == "" || os.IsPathSeparator(path[0]) {
		return path
	}
	return folder + string(os.PathSeparator) + path
}

// streamOutput returns the output for an open descriptor.
func streamOutput(number int, name string) *output {
	o := &output{name: name}
	o.number.Store(int64(number))
	o.file, _ = identityOf(number)
	return o
}

// openStream returns the output for an inherited descriptor.
func openStream(number int) (*output, error) {
	name := "descriptor " + strconv.Itoa(number)
	if _, err := identityOf(number); err != nil {
		return nil, errors.New(name + " is not open")
	}
	return streamOutput(number, name), nil
}

// openFile opens the file under a descriptor that does not get in the program's way.
func openFile(path string, flags int) (int, error) {
	for {
		number, err := syscall.Open(path, flags|syscall.O_CLOEXEC, uint32(newFileMode(path)))
		if err == nil {
			return moveToHighDescriptor(number), nil
		}
		if err != syscall.EINTR {
			return 0, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// descriptor returns the current descriptor of the file and reopens the file if the program
// closed it.
//
//go:norace
func (o *output) descriptor() (int, error) {
	number := int(o.number.Load())
	if o.isAt(number) {
		return number, nil
	}
	return o.reopen()
}

//go:norace
func (o *output) isAt(number int) bool {
	file, err := identityOf(number)
	return err == nil && file == o.file
}

// reopen opens the file again if it is still at its path. The old descriptor belongs to the
// program and is not closed.
func (o *output) reopen() (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	number := int(o.number.Load())
	if o.isAt(number) {
		return number, nil // another goroutine has reopened it
	}
	errReplaced := errors.New(o.name + ": the program has closed or replaced its descriptor")
	if !o.isAtPath() {
		return 0, errReplaced
	}
	number, err := openFile(o.path, o.flags|syscall.O_NONBLOCK)
	if err != nil {
		return 0, errReplaced
	}
	if !o.isAt(number) {
		syscall.Close(number)
		return 0, errReplaced
	}
	o.number.Store(int64(number))
	return number, nil
}

// isAtPath reports whether the file is still at its path. It checks before opening, which could
// have side effects on a named pipe or a device.
func (o *output) isAtPath() bool {
	var stat syscall.Stat_t
	return o.path != "" && syscall.Stat(o.path, &stat) == nil &&
		uint32(stat.Mode)&syscall.S_IFMT == syscall.S_IFREG &&
		o.file == identity{uint64(stat.Dev), uint64(stat.Ino)}
}

// isIntact reports whether the descriptor still refers to the file.
func (o *output) isIntact() bool { return o.isAt(int(o.number.Load())) }

// write writes the whole line.
//
//go:norace
func (o *output) write(line []byte) error {
	number, err := o.descriptor()
	if err == nil {
		err = writeAll(number, line)
	}
	return err
}

//go:norace
func (o *output) WriteAt(data []byte, offset int64) (int, error) {
	number, err := o.descriptor()
	if err != nil {
		return 0, err
	}
	n, err := syscall.Pwrite(number, data, offset)
	if err != nil && err != syscall.EINTR {
		return 0, &os.PathError{Op: "write", Path: o.name, Err: err}
	}
	return max(n, 0), nil
}

func (o *output) ReadAt(data []byte, offset int64) (int, error) {
	number, err := o.descriptor()
	if err != nil {
		return 0, err
	}
	n, err := syscall.Pread(number, data, offset)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// mapPart maps size bytes of the file at offset, including the start of their first page.
//
//go:norace
func (o *output) mapPart(offset int64, size int) ([]byte, error) {
	number, err := o.descriptor()
	if err != nil {
		return nil, err
	}
	before := int(offset % int64(pageSize))
	memory, err := syscall.Mmap(number, offset-int64(before), before+size,
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: o.name, Err: err}
	}
	return memory[before:], nil
}

// remove deletes the file and closes it.
func (o *output) remove() {
	if o.isIntact() {
		syscall.Close(int(o.number.Load()))
	}
	if !o.isAnonymous {
		os.Remove(o.path)
	}
}
