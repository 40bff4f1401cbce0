//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

import "runtime/debug"

func setPanicOnFault(enabled bool) bool { return debug.SetPanicOnFault(enabled) }
