//go:build trace && go1.21 && (darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package functrace

import "syscall"

// lock marks the file as in use until the process ends.
func (o *output) lock() {
	_ = syscall.Flock(int(o.number.Load()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// lockShared reports whether the open file is not in use.
func lockShared(number int) bool {
	return syscall.Flock(number, syscall.LOCK_SH|syscall.LOCK_NB) == nil
}
