//go:build trace && go1.21

package functrace

import (
	"syscall"
	"unsafe"
)

// release removes the memory, from the first whole page on, from the page table of the process.
// It is a shared mapping, so no data is lost.
//
//go:norace
func release(memory []byte) {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(memory)))
	before := -address & (pageSize - 1)
	if before < uintptr(len(memory)) {
		_ = syscall.Madvise(memory[before:], syscall.MADV_DONTNEED)
	}
}
