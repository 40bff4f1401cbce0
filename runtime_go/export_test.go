//go:build trace

package functrace

// AllocatesNothing tells the tests outside the package whether a call does.
func IsAllocationFree() bool { return fast }

// IsFast tells whether more is known than the public interfaces of the Go runtime say.
func IsFast() bool { return fast }

// GoroutineID is that of the caller.
func GoroutineID() uint64 { return goroutineID() }

// Distrust has the public interfaces used from here on, as where the fast way disagrees.
func UseFallback() { distrust() }
