//go:build trace && go1.21

package functrace

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// A shape is a type, as far as its values are to be read from memory. It is made when the first
// such value is met.
type shape struct {
	key     uintptr // where the Go runtime has the type
	next    *shape  // in the list that its bucket begins
	of      reflect.Type
	name    string
	kind    reflect.Kind
	size    uintptr
	direct  bool // an interface holds such a value itself, not its address
	isError bool
	fields  []field // of a struct
	format  *format // of an error whose text is known without calling its method
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

// findShape returns the shape of the type with that key, if there is one by now.
//
//go:norace
func findShape(key uintptr) *shape {
	s := shapes[hash(key)%uintptr(len(shapes))].Load()
	for s != nil && s.key != key {
		s = s.next
	}
	return s
}

// shapeOf returns the shape of the type with that key, which is genuine.
//
//go:norace
func shapeOf(key uintptr) *shape {
	if s := findShape(key); s != nil {
		return s
	}
	return newShape(reflect.TypeOf(*interfaceOf(&[2]uintptr{key, 0})))
}

//go:norace
func shapeOfType(t reflect.Type) *shape {
	if s := findShape(keyOf(t)); s != nil {
		return s
	}
	return newShape(t)
}

// keyOf returns where the Go runtime has the type.
func keyOf(t reflect.Type) uintptr { return wordsOfInterface(&t)[1] }

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
	s.format = knownFormat(s)
	bucket := &shapes[hash(s.key)%uintptr(len(shapes))]
	for {
		s.next = bucket.Load()
		if bucket.CompareAndSwap(s.next, s) {
			return s
		}
	}
}

var errorType = reflect.TypeOf((*error)(nil)).Elem()

// Keys of the types that any may hold where it is not sure that it holds anything.
var predeclared []uintptr

func init() {
	for _, value := range []any{"", false, 0, int8(0), int16(0), int32(0), int64(0), uint(0), byte(0),
		uint16(0), uint32(0), uint64(0), uintptr(0), float32(0), 0.0} {
		predeclared = append(predeclared, keyOf(reflect.TypeOf(value)))
	}
}

//go:norace
func isPredeclared(key uintptr) bool {
	for _, known := range predeclared {
		if key == known {
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
		isHidden := isSecret(f.Name) || t == atomicValueType
		fields[i] = field{f.Name, f.Offset, shapeOfType(f.Type), f.Anonymous, isHidden}
	}
	return fields
}

// While an atomic.Value is stored to, what its interface has for a type is none.
var atomicValueType = reflect.TypeOf(atomic.Value{})

// elem returns the shape of what a pointer points to, or a slice or an array consists of.
//
//go:norace
func (s *shape) elem() *shape { return shapeOfType(s.of.Elem()) }

// wordsOfInterface returns the two words of an interface variable.
func wordsOfInterface[T any](variable *T) *[2]uintptr {
	return (*[2]uintptr)(unsafe.Pointer(variable))
}

func interfaceOf(words *[2]uintptr) *any { return (*any)(unsafe.Pointer(words)) }

// dynamic returns the shape of what the interface here holds, nil if that is nothing or may be
// anything, and where it is. The interface is one with methods, if the static type has some.
//
//go:norace
func (s spot) dynamic(static *shape) (*shape, spot) {
	key := s.word()
	hasMethods := static != nil && static.of.NumMethod() > 0
	switch {
	case key == 0:
		return nil, spot{}
	case s.trust == doubtful && hasMethods && !isTable(key, static):
		return nil, spot{}
	case hasMethods:
		key = typeIn(key)
	}
	if s.trust == doubtful && !hasMethods && !isPredeclared(key) {
		return nil, spot{}
	}
	dynamic := shapeOf(key)
	value := s.plus(wordSize)
	if s.trust != settled {
		value.trust = doubtful
	}
	if dynamic.direct {
		return dynamic, value
	}
	value.address = value.word()
	if value.trust == doubtful && !isReadable(value.address, dynamic.size) {
		return nil, spot{}
	}
	return dynamic, value
}

// typeIn returns the key of the type in a table of methods, by which an interface that has some
// knows what it holds.
//
//go:norace
func typeIn(table uintptr) uintptr {
	var value any = *(*error)(unsafe.Pointer(&[2]uintptr{table, 0}))
	return wordsOfInterface(&value)[0]
}

// isTable reports whether what is at the address is a table of methods for that interface, as
// package internal/abi of Go has it: the interface comes first, then the type.
//
//go:norace
func isTable(address uintptr, of *shape) bool {
	return isReadable(address, 3*wordSize) && load[uintptr](address) == of.key &&
		isReadable(load[uintptr](address+wordSize), 6*wordSize)
}
