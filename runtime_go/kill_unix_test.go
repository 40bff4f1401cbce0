//go:build trace && unix

package functrace_test

import (
	"os"
	"syscall"
)

func kill() { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }

func interrupt() { syscall.Kill(os.Getpid(), syscall.SIGUSR1) }
