//go:build trace && go1.21 && (darwin || freebsd)

package functrace

import "syscall"

const changeSignalMask = syscall.SYS_SIGPROCMASK
