//go:build trace && go1.21 && (linux || darwin || freebsd)

package functrace

import "syscall"

// checksPages says that isReadablePage knows. An emulator, or a processor whose signal masks have
// another size, may look at the other arguments first: then every page would seem readable.
var checksPages = !isReadablePage(highestPage)

// highestPage is the system's own.
const highestPage = ^uintptr(minPageSize - 1)

// isReadablePage asks the system to change the signal mask in a way that there is not, to a mask
// at that address. It looks at the mask first, and changes nothing.
//
//go:norace
func isReadablePage(address uintptr) bool {
	const noSuchWay, sizeOfMask = 1 << 20, 8
	_, _, err := syscall.RawSyscall6(changeSignalMask, noSuchWay, address, 0, sizeOfMask, 0, 0)
	return err != syscall.EFAULT
}
