//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import _ "unsafe" // for go:linkname

// setPanicOnFault is debug.SetPanicOnFault. Package runtime/debug would import package fmt, which
// could then not be instrumented.
//
//go:linkname setPanicOnFault runtime/debug.setPanicOnFault
func setPanicOnFault(enabled bool) bool
