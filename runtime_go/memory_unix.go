//go:build trace && go1.21 && (linux || darwin || freebsd)

package functrace

import "syscall"

// checksPages is set if isReadablePage works. An emulator, or a system whose signal masks have
// another size, may check the other arguments first: every page would then seem readable.
var checksPages = !isReadablePage(highestPage)

// highestPage belongs to the system and is never readable.
const highestPage = ^uintptr(minPageSize - 1)

// isReadablePage requests an invalid change of the signal mask, to a mask at that address. The
// system reads the mask before it rejects the request, and changes nothing.
//
//go:norace
func isReadablePage(address uintptr) bool {
	const noSuchWay, sizeOfMask = 1 << 20, 8
	_, _, err := syscall.RawSyscall6(changeSignalMask, noSuchWay, address, 0, sizeOfMask, 0, 0)
	return err != syscall.EFAULT
}
