//go:build trace && go1.21

package functrace

import "syscall"

// The lowest descriptor that the recorder uses. The program gets the same numbers as without
// tracing, and rarely reuses one of the recorder's after closing it.
const lowestDescriptor = 100

// moveToHighDescriptor duplicates a descriptor to a number of at least lowestDescriptor, if the
// limits allow it.
func moveToHighDescriptor(number int) int {
	high, _, problem := syscall.Syscall(syscall.SYS_FCNTL, uintptr(number), syscall.F_DUPFD_CLOEXEC, lowestDescriptor)
	if problem != 0 {
		return number
	}
	syscall.Close(number)
	return int(high)
}
