//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import _ "unsafe" // for go:linkname

// setPanicOnFault is debug.SetPanicOnFault. Package runtime/debug would bring in package fmt,
// which could not be instrumented then.
//
//go:linkname setPanicOnFault runtime/debug.setPanicOnFault
func setPanicOnFault(enabled bool) bool
