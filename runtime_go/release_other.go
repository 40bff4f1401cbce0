//go:build trace && go1.21 && !linux

package functrace

const pageSize = uintptr(4096)

// release does nothing: on other systems MADV_DONTNEED drops no pages of a shared mapping.
func release([]byte) {}
