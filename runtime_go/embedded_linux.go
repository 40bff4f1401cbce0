//go:build trace && otlp && go1.21

package functrace

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// The system call number of memfd_create(2), which package syscall lacks on amd64.
var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}

// Flags of memfd_create(2). Kernels before 6.3 reject the second; later ones require it.
const (
	memfdCloexec = 1
	memfdExec    = 0x10
)

// createInMemory copies the sender to a file without a name, which works where no file system
// allows execution.
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
