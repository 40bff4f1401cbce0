//go:build trace && go1.21 && !linux

package functrace

// release does nothing: on other systems MADV_DONTNEED keeps the pages of a shared mapping.
func release([]byte) {}
