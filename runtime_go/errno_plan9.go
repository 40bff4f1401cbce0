//go:build trace && go1.21

package functrace

import "reflect"

// The system's errors are texts here.
var errnoType reflect.Type

func errnoText(uintptr) string { return "" }
