// Package reflectlite stands in for the internal one.
package reflectlite

import "reflect"

type (
	Value = reflect.Value
	Type  = reflect.Type
)

const (
	Ptr       = reflect.Ptr
	Interface = reflect.Interface
	Slice     = reflect.Slice
	String    = reflect.String
	Struct    = reflect.Struct
)

func Swapper(slice any) func(i, j int) { return reflect.Swapper(slice) }

func ValueOf(v any) reflect.Value { return reflect.ValueOf(v) }

func TypeOf(v any) reflect.Type { return reflect.TypeOf(v) }
