//go:build trace && go1.21 && !plan9

package functrace

// System errors, which are numbers on most systems.

import (
	"reflect"
	"syscall"
)

var errnoType = reflect.TypeOf(syscall.Errno(0))

func errnoText(number uintptr) string { return syscall.Errno(number).Error() }
