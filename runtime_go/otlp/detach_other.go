//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// detach starts this command again with other arguments and does not wait for it.
func detach(arguments ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, arguments...)
	command.Stderr = os.Stderr
	return command.Start()
}

func lowerPriority() {}
