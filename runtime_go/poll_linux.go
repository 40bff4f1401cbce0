//go:build trace && go1.21

package functrace

import (
	"syscall"
	"unsafe"
)

// awaitWritable waits until a non-blocking descriptor takes more, or has failed.
// It asks poll(2) itself: the Go runtime's poller knows only what was non-blocking
// when it was opened, and a timer would stand still in a synctest bubble.
func waitUntilWritable(fd int) {
	const pollOut = 4
	poll := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollOut}
	syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, 0, 0, 0, 0)
}
