//go:build trace && go1.21

package functrace

import (
	"os"
	"syscall"
)

var pageSize = uintptr(os.Getpagesize())

// release drops the memory from the process's page table. It is a shared mapping: nothing is lost.
//
//go:norace
func release(memory []byte) { _ = syscall.Madvise(memory, syscall.MADV_DONTNEED) }
