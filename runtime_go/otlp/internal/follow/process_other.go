//go:build !unix

package follow

import "os"

type process struct{ pid int }

func watch(pid int) process { return process{pid} }

// hasEnded reports whether there is no process of that number: Windows finds only those that run.
func (p process) hasEnded() bool {
	found, err := os.FindProcess(p.pid)
	if err != nil {
		return true
	}
	found.Release()
	return false
}

func (p process) close() {}
