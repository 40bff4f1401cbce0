//go:build trace && go1.21

package functrace

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Numbers that package syscall does not have.
const (
	openAnonymous   = 0x400000 | syscall.O_DIRECTORY // O_TMPFILE
	atSymlinkFollow = 0x400
)

var atWorkingFolder = -100 // AT_FDCWD

// createNameless creates a file in the folder of path that has no name before publish: a process
// that is killed in between leaves no file. Where the file system cannot do that it creates a named one.
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

// publish gives a nameless file its name, unless there is another file of that name.
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
