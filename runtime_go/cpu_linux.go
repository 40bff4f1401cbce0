//go:build trace && go1.21

package functrace

import (
	"syscall"
	"time"
	"unsafe"
)

// cpuTime returns the CPU time that the process has used.
//
//go:norace
func cpuTime() time.Duration {
	const processClock = 2 // CLOCK_PROCESS_CPUTIME_ID
	var now syscall.Timespec
	_, _, problem := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, processClock, uintptr(unsafe.Pointer(&now)), 0)
	if problem != 0 {
		return time.Since(startTime)
	}
	return time.Duration(now.Nano())
}
