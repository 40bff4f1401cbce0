//go:build trace && !functrace_safe && (amd64 || arm64)

package functrace

func distrust() {
	fast, usesFastPath, usesSystemTicks, counter, parentOffset = false, false, false, false, 0
}
