//go:build trace && go1.21

package functrace

// Trace files that get their name only once they are readable (O_TMPFILE).

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Constants that package syscall lacks.
const (
	openAnonymous   = 0x400000 | syscall.O_DIRECTORY // O_TMPFILE
	atSymlinkFollow = 0x400
)

var atWorkingFolder = -100 // AT_FDCWD

// createAnonymous creates a file in the directory of path that has no name before publish, so
// that a process killed in between leaves no file. Where the file system does not support that,
// it creates a named file.
func createAnonymous(path string) (*output, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EEXIST}
	}
	folder := "./" + path
	if os.IsPathSeparator(path[0]) {
		folder = path
	}
	folder = folder[:strings.LastIndexByte(folder, '/')+1]
	number, err := openFile(folder, os.O_RDWR|openAnonymous)
	if err != nil {
		return createNamed(path)
	}
	o := streamOutput(number, path)
	o.path, o.flags, o.isAnonymous = absolute(path), os.O_RDWR, true
	return o, nil
}

// publish links an anonymous file at its path, unless a file exists there.
func (o *output) publish() error {
	if !o.isAnonymous {
		return nil
	}
	own, err := syscall.BytePtrFromString("/proc/self/fd/" + strconv.FormatInt(o.number.Load(), 10))
	if err != nil {
		return err
	}
	path, err := syscall.BytePtrFromString(o.path)
	if err != nil {
		return err
	}
	_, _, problem := syscall.Syscall6(syscall.SYS_LINKAT, uintptr(atWorkingFolder), uintptr(unsafe.Pointer(own)),
		uintptr(atWorkingFolder), uintptr(unsafe.Pointer(path)), atSymlinkFollow, 0)
	if problem != 0 {
		return &os.PathError{Op: "link", Path: o.path, Err: problem}
	}
	o.isAnonymous = false
	return nil
}
