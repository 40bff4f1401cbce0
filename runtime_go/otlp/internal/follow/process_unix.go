//go:build unix && !linux

package follow

import (
	"errors"
	"syscall"
)

type process struct{ pid int }

func watch(pid int) process { return process{pid} }

func (p process) hasEnded() bool { return errors.Is(syscall.Kill(p.pid, 0), syscall.ESRCH) }

func (p process) close() {}
