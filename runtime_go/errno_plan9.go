//go:build trace && go1.21

package functrace

import "reflect"

// System errors are strings on Plan 9.
var errnoType reflect.Type

func errnoText(uintptr) string { return "" }
