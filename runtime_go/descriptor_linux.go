//go:build trace && go1.21

package functrace

import "syscall"

// The lowest descriptor that the recorder keeps: the program gets the numbers that it would get
// without tracing, and one that closes ours and opens files seldom gets the same number again.
const lowestDescriptor = 100

// moveUp moves a descriptor to a number that is not below lowestDescriptor, if that is allowed.
func moveToHighDescriptor(number int) int {
	high, _, problem := syscall.Syscall(syscall.SYS_FCNTL, uintptr(number), syscall.F_DUPFD_CLOEXEC, lowestDescriptor)
	if problem != 0 {
		return number
	}
	syscall.Close(number)
	return int(high)
}
