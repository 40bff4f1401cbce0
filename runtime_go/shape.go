//go:build trace && go1.21

package functrace

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// A shape is the layout of a type, used to read its values from memory. It is created when the
// first value of the type is read.
type shape struct {
	key     uintptr // address of the type in the Go runtime
	next    *shape  // in the list of its hash bucket
	of      reflect.Type
	name    string
	kind    reflect.Kind
	size    uintptr
	direct  bool // an interface contains the value itself, not its address
	isError bool
	fields  []field // of a struct
	format  *format // of an error type with a pattern
	native  native
}

type field struct {
	name     string
	offset   uintptr
	shape    *shape
	embedded bool
	hidden   bool
}

var shapes [256]atomic.Pointer[shape]

// findShape returns the shape of the type with that key, nil if there is none yet.
//
//go:norace
func findShape(key uintptr) *shape {
	s := shapes[hash(key)%uintptr(len(shapes))].Load()
	for s != nil && s.key != key {
		s = s.next
	}
	return s
}

// shapeOf returns the shape of the type with that key, which must be valid.
//
//go:norace
func shapeOf(key uintptr) *shape {
	if s := findShape(key); s != nil {
		return s
	}
	return newShape(reflect.TypeOf(*interfaceOf(&[2]uintptr{key, 0})))
}

// shapeOfType returns the shape of t.
//
//go:norace
func shapeOfType(t reflect.Type) *shape {
	if s := findShape(keyOf(t)); s != nil {
		return s
	}
	return newShape(t)
}

// keyOf returns the address of the type in the Go runtime.
func keyOf(t reflect.Type) uintptr { return wordsOfInterface(&t)[1] }

// newShape creates the shape of t and adds it to shapes.
//
//go:norace
func newShape(t reflect.Type) *shape {
	s := &shape{key: keyOf(t), of: t, name: t.String(), kind: t.Kind(), size: t.Size()}
	s.isError = t.Implements(errorType)
	if s.kind == reflect.Struct {
		s.fields = fieldsOf(t)
	}
	if s.kind != reflect.Interface && s.size == wordSize {
		zero := reflect.Zero(t).Interface()
		s.direct = wordsOfInterface(&zero)[1] == 0
	}
	s.native = nativeOf(t)
	s.format = formatOf(s)
	bucket := &shapes[hash(s.key)%uintptr(len(shapes))]
	for {
		s.next = bucket.Load()
		if bucket.CompareAndSwap(s.next, s) {
			return s
		}
	}
}

var errorType = reflect.TypeOf((*error)(nil)).Elem()

// Keys of the types that are accepted in an interface{} whose contents are unverified.
var predeclared []uintptr

func init() {
	for _, value := range []any{"", false, 0, int8(0), int16(0), int32(0), int64(0), uint(0), byte(0),
		uint16(0), uint32(0), uint64(0), uintptr(0), float32(0), 0.0} {
		predeclared = append(predeclared, keyOf(reflect.TypeOf(value)))
	}
}

//go:norace
func isPredeclared(key uintptr) bool {
	for _, candidate := range predeclared {
		if key == candidate {
			return true
		}
	}
	return false
}

//go:norace
func fieldsOf(t reflect.Type) []field {
	fields := make([]field, t.NumField())
	for i := range fields {
		f := t.Field(i)
		isRedacted := isSecret(f.Name) || t == atomicValueType
		fields[i] = field{f.Name, f.Offset, shapeOfType(f.Type), f.Anonymous, isRedacted}
	}
	return fields
}

// During a store, the interface in an atomic.Value has an invalid type word.
var atomicValueType = reflect.TypeOf(atomic.Value{})

// elem returns the shape of the element type of a pointer, slice or array.
//
//go:norace
func (s *shape) elem() *shape { return shapeOfType(s.of.Elem()) }

// wordsOfInterface returns the two words of an interface variable.
func wordsOfInterface[T any](variable *T) *[2]uintptr {
	return (*[2]uintptr)(unsafe.Pointer(variable))
}

func interfaceOf(words *[2]uintptr) *any { return (*any)(unsafe.Pointer(words)) }

// dynamic returns the shape and the location of the value in the interface at this location. The
// shape is nil if the interface is nil or its value cannot be trusted. The interface has methods
// if its static type does.
//
//go:norace
func (s location) dynamic(static *shape) (*shape, location) {
	key := s.word()
	hasMethods := static != nil && static.of.NumMethod() > 0
	switch {
	case key == 0:
		return nil, location{}
	case s.trust == unverified && hasMethods && !isItab(key, static):
		return nil, location{}
	case hasMethods:
		key = typeOfItab(key)
	}
	if s.trust == unverified && !hasMethods && !isPredeclared(key) {
		return nil, location{}
	}
	dynamic := shapeOf(key)
	value := s.plus(wordSize)
	if s.trust != immutable {
		value.trust = unverified
	}
	if dynamic.direct {
		return dynamic, value
	}
	value.address = value.word()
	if value.trust == unverified && !isReadable(value.address, dynamic.size) {
		return nil, location{}
	}
	return dynamic, value
}

// typeOfItab returns the key of the dynamic type in an itab, the method table in an interface
// with methods.
//
//go:norace
func typeOfItab(table uintptr) uintptr {
	var value any = *(*error)(unsafe.Pointer(&[2]uintptr{table, 0}))
	return wordsOfInterface(&value)[0]
}

// isItab reports whether the address is that of an itab for that interface, as defined in Go's
// internal/abi: the interface type first, then the dynamic type.
//
//go:norace
func isItab(address uintptr, of *shape) bool {
	return isReadable(address, 3*wordSize) && load[uintptr](address) == of.key &&
		isReadable(load[uintptr](address+wordSize), 6*wordSize)
}
