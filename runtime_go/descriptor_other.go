//go:build trace && go1.21 && unix && !linux

package functrace

// moveToHighDescriptor returns the descriptor unchanged: package syscall has no portable
// fcntl(2).
func moveToHighDescriptor(number int) int { return number }
