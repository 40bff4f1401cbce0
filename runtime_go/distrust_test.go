//go:build trace && !functrace_safe && (amd64 || arm64)

package functrace

func distrust() { fast, recordsAll, counter, parentOffset = false, false, false, 0 }
