//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// detach starts this command again with other arguments, in its own session: signals of the program's
// terminal do not reach it, and the program gets no child that it did not start.
func detach(arguments ...string) error {
	self, err := executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, arguments...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return command.Start()
}

// executable returns the path of this command, which may be a file without a name.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// lowerPriority gives the program precedence.
func lowerPriority() {
	const step, maxNice = 5, 19
	if now, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err == nil {
		if runtime.GOOS == "linux" {
			now = 20 - now // the system call returns 20 - nice
		}
		// The process group contains the threads of this process only.
		_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, min(now+step, maxNice))
	}
}
