// Package reflectlite stands in for the internal one.
package reflectlite

import "reflect"

func Swapper(slice any) func(i, j int) { return reflect.Swapper(slice) }

func ValueOf(v any) reflect.Value { return reflect.ValueOf(v) }

func TypeOf(v any) reflect.Type { return reflect.TypeOf(v) }
