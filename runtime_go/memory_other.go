//go:build trace && go1.21 && !(linux || darwin || freebsd)

package functrace

// checksPages is set if isReadablePage works.
var checksPages = false

// isReadablePage is not available on this system.
func isReadablePage(uintptr) bool { return false }
