//go:build trace && go1.21 && unix

package functrace

import (
	"os"
	"syscall"
)

// mapPart maps size bytes of the file from offset on.
func mapPart(file *os.File, offset int64, size int) ([]byte, error) {
	memory, err := syscall.Mmap(int(file.Fd()), offset, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: file.Name(), Err: err}
	}
	return memory, nil
}
