//go:build trace && go1.21

package functrace

import (
	"os"
	"reflect"
	"strings"
	"time"
)

// A native is a type from the packages that functrace itself imports, which are never
// instrumented: its own method can be called, since no code of the program runs.
type native int

const (
	notNative native = iota
	nativeErrno
	nativeDuration
	nativeProcessState
	nativeError // of a package whose errors contain no others
)

// nativeOf returns the native kind of t.
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

// addNative adds the result of the value's own method, unless the value is unverified.
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

// toInterface returns the value at that location as an interface.
//
//go:norace
func (s *shape) toInterface(at location) any {
	words := [2]uintptr{s.key, at.address}
	if s.direct {
		words[1] = at.word()
	}
	return *interfaceOf(&words)
}
