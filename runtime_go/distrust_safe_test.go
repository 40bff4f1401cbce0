//go:build trace && (functrace_safe || !(amd64 || arm64))

package functrace

func distrust() {}
