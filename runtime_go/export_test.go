//go:build trace

package functrace

// IsAllocationFree is set if a call allocates nothing.
func IsAllocationFree() bool { return fast }

// IsFast reports whether the fast probe is in use.
func IsFast() bool { return fast }

// GoroutineID is that of the caller.
func GoroutineID() uint64 { return goroutineID() }

// UseFallback selects the public interfaces, as if the fast probe disagreed with them.
func UseFallback() { distrust() }
