//go:build trace && go1.21

package functrace

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID reads the id from the first line of a stack trace, "goroutine 18
// [running]:", the only place in which the Go runtime tells it.
func goroutineID() uint64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}

// callSiteByCallers returns the address that the caller of its caller's caller returns to:
// where Trace was called, if enterCaller asks.
//
//go:noinline
func callSiteByCallers() uintptr {
	var pcs [1]uintptr
	runtime.Callers(4, pcs[:])
	return pcs[0]
}
