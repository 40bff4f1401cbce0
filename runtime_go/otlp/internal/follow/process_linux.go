package follow

import (
	"os"
	"strconv"
	"syscall"
)

// pidfd_open has this number on every architecture; package syscall does not define it.
const pidfdOpen = 434

// A process is identified by a descriptor, since its pid may be reused.
type process struct {
	pid, epoll int
	pidfd      int // -1 if the kernel is too old
}

func watch(pid int) process {
	p := process{pid: pid, epoll: -1, pidfd: -1}
	fd, _, number := syscall.Syscall(pidfdOpen, uintptr(pid), 0, 0)
	if number != 0 {
		return p
	}
	p.pidfd = int(fd)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err == nil {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN}
		err = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, p.pidfd, &event)
		p.epoll = epoll
	}
	if err != nil {
		p.close()
		return process{pid: pid, epoll: -1, pidfd: -1}
	}
	return p
}

func (p process) hasEnded() bool {
	if p.pidfd < 0 {
		_, err := os.Stat("/proc/" + strconv.Itoa(p.pid))
		return os.IsNotExist(err)
	}
	var events [1]syscall.EpollEvent
	n, _ := syscall.EpollWait(p.epoll, events[:], 0)
	return n > 0
}

func (p process) close() {
	if p.pidfd >= 0 {
		syscall.Close(p.pidfd)
	}
	if p.epoll >= 0 {
		syscall.Close(p.epoll)
	}
}
