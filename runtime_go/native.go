//go:build trace && go1.21

package functrace

import (
	"os"
	"reflect"
	"strings"
	"time"
)

// A native is a type of the packages that functrace itself is built on, which are never
// instrumented: its own methods give the text, and no code of the program runs for it.
type native int

const (
	notNative native = iota
	nativeErrno
	nativeDuration
	nativeProcessState
	nativeError // of a package whose errors contain none of other packages
)

func nativeOf(t reflect.Type) native {
	switch t {
	case errnoType:
		return nativeErrno
	case reflect.TypeOf(time.Duration(0)):
		return nativeDuration
	case reflect.TypeOf((*os.ProcessState)(nil)):
		return nativeProcessState
	}
	path := t.PkgPath()
	if t.Kind() == reflect.Pointer {
		path = t.Elem().PkgPath()
	}
	isOwn := path == "runtime" || path == "reflect" || path == "time" || strings.HasPrefix(path, "internal/runtime/")
	if isOwn && t.Implements(errorType) {
		return nativeError
	}
	return notNative
}

// natively shows what the value's own method returns, unless it is not sure that it is one.
//
//go:norace
func (d *description) addNative(s *shape, at location) bool {
	switch {
	case s.native == nativeErrno:
		d.add(errnoText(at.word()))
	case s.native == nativeDuration:
		d.add(load[time.Duration](at.address).String())
	case at.trust == unverified || s.kind == reflect.Pointer && at.word() == 0:
		return false
	case s.native == nativeProcessState:
		d.add(load[*os.ProcessState](at.address).String())
	default:
		d.add(s.toInterface(at).(error).Error())
	}
	return true
}

// restored returns the value at that spot.
//
//go:norace
func (s *shape) toInterface(at location) any {
	words := [2]uintptr{s.key, at.address}
	if s.direct {
		words[1] = at.word()
	}
	return *interfaceOf(&words)
}
