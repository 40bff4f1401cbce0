//go:build trace && go1.21

package functrace

import "syscall"

const changeSignalMask = syscall.SYS_RT_SIGPROCMASK
