//go:build trace && otlp && go1.21

package functrace

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// The number of memfd_create(2), which package syscall does not have on amd64.
var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}

// Flags of memfd_create(2). The second is refused by kernels before 6.3, the others want it.
const (
	memfdCloexec = 1
	memfdExec    = 0x10
)

// inMemory makes a file that has no name and needs no place where files may be executed.
func createInMemory() (*executable, error) {
	number, ok := memfdCreate[runtime.GOARCH]
	if !ok {
		return nil, syscall.ENOSYS
	}
	name := append([]byte(senderName), 0)
	fd, _, problem := syscall.Syscall(number, uintptr(unsafe.Pointer(&name[0])), memfdCloexec|memfdExec, 0)
	if problem == syscall.EINVAL {
		fd, _, problem = syscall.Syscall(number, uintptr(unsafe.Pointer(&name[0])), memfdCloexec, 0)
	}
	if problem != 0 {
		return nil, problem
	}
	file := os.NewFile(fd, "/proc/self/fd/"+strconv.Itoa(int(fd)))
	if _, err := file.Write(embeddedSender); err != nil {
		file.Close()
		return nil, err
	}
	return &executable{file.Name(), func() { file.Close() }}, nil
}
