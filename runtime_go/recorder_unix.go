//go:build trace && go1.21 && unix

package functrace

import (
	"os"
	"syscall"
)

var zeros [1 << 20]byte

// mapMore lengthens the file by size bytes from offset on and maps them. They are
// written first: a full disk is an error here, and would be a signal later that ends
// the program; and the kernel maps what it has in its cache at a fraction of the cost.
func mapMore(file *os.File, offset int64, size int) ([]byte, error) {
	for done := 0; done < size; {
		n, err := file.WriteAt(zeros[:min(len(zeros), size-done)], offset+int64(done))
		if err != nil {
			return nil, err
		}
		done += n
	}
	memory, err := syscall.Mmap(int(file.Fd()), offset, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: file.Name(), Err: err}
	}
	return memory, nil
}
