//go:build unix

package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// detach starts this command again with other arguments, in a session of its own: what a terminal
// sends to the program's is not for it, and the program never meets a child that it did not start.
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

// executable may be a file that has no name.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// beNice has the program go first, as far as that is possible.
func beNice() {
	const step, most = 5, 19
	if now, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err == nil {
		if runtime.GOOS == "linux" {
			now = 20 - now // as the system call returns it
		}
		// All threads there are: they are the only ones of their group.
		_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, min(now+step, most))
	}
}
