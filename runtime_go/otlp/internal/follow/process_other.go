//go:build !unix

package follow

import "os"

type process struct{ pid int }

func watch(pid int) process { return process{pid} }

// hasEnded reports whether the process has ended: Windows finds only running processes.
func (p process) hasEnded() bool {
	found, err := os.FindProcess(p.pid)
	if err != nil {
		return true
	}
	found.Release()
	return false
}

func (p process) close() {}
