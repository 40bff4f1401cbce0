//go:build trace && go1.21 && unix && !linux

package functrace

import (
	"syscall"
	"time"
)

// cpuTime returns the CPU time that the process has used.
//
//go:norace
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return time.Since(startTime)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
