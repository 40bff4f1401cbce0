//go:build trace && go1.21

package functrace

import (
	"syscall"
	"unsafe"
)

// release drops the memory, from the first whole page on, from the process's page table. It is a
// shared mapping: nothing is lost.
//
//go:norace
func release(memory []byte) {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	before := -address & (pageSize - 1)
	if before < uintptr(len(memory)) {
		_ = syscall.Madvise(memory[before:], syscall.MADV_DONTNEED)
	}
}
