//go:build trace && go1.21

package functrace

// Goroutine ids and call sites from the public interfaces of the Go runtime.

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID returns the id in the first line of a stack trace, "goroutine 18 [running]:". The
// Go runtime exposes it nowhere else.
func goroutineID() uint64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}

// callSiteByCallers returns the return address of its caller's caller: the address after the call
// of Trace or Enter, if enterCaller calls it.
//
//go:noinline
func callSiteByCallers() uintptr {
	var pcs [1]uintptr
	runtime.Callers(4, pcs[:])
	return pcs[0]
}
