//go:build trace && go1.21

package functrace

import (
	"syscall"
	"unsafe"
)

// waitUntilWritable waits until a non-blocking descriptor is writable or has failed. It calls
// poll(2) directly: the Go runtime's poller handles only descriptors that were non-blocking when
// opened, and a timer would stand still in a synctest bubble.
func waitUntilWritable(fd int) {
	const pollOut = 4
	poll := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollOut}
	syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, 0, 0, 0, 0)
}
