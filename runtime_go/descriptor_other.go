//go:build trace && go1.21 && unix && !linux

package functrace

// moveUp leaves the descriptor where it is: package syscall has no portable fcntl(2).
func moveToHighDescriptor(number int) int { return number }
