//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

import "runtime/debug"

// setPanicOnFault selects whether a fault on an address is a panic.
func setPanicOnFault(enabled bool) bool { return debug.SetPanicOnFault(enabled) }
