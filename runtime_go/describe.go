//go:build trace && go1.21

package functrace

import (
	"reflect"
	"strings"
)

// A description is the text of an error or a panic value, read from memory. No Error method is
// called, since its effects are unknown. A type with a pattern or from the Go runtime has the
// text that its method returns; other values are shown by type and fields.
type description struct {
	text
	depth int
}

// style selects how a value is shown.
type style int

const (
	plain   style = 1 << iota // a string that stands alone, without quotation marks
	untyped                   // without its type, which the field implies
	follow                    // show the target of a pointer of any type
)

const (
	maxDepth = 8 // of nested values
	maxItems = 4 // shown of slices and arrays
)

// describe adds the value of a variable that no other goroutine uses and that does not move. A
// fault is recovered as a panic: pointers may lead to unmapped memory outside Go's heap.
//
//go:norace
func (d *description) describe(variable *any) {
	defer d.recoverFromFault(setPanicOnFault(true))
	if *variable == nil {
		return // a panic whose value is unknown
	}
	d.addInterface(location{addressOf(variable), immutable}, nil, plain|follow)
}

// recoverFromFault ends a description after a fault and restores the handling of faults.
//
//go:norace
func (d *description) recoverFromFault(panicsOnFault bool) {
	setPanicOnFault(panicsOnFault)
	if recover() != nil {
		clearReadablePages()
		d.add("…")
	}
}

// addInterface adds the value in the interface at that location.
//
//go:norace
func (d *description) addInterface(at location, static *shape, how style) {
	if s, value := at.dynamic(static); s != nil {
		d.value(s, value, how&^untyped)
	} else if at.word() == 0 {
		d.add("nil")
	} else {
		d.add("…")
	}
}

// value adds a value of that shape.
//
//go:norace
func (d *description) value(s *shape, at location, how style) {
	if d.depth == maxDepth || d.isFull() {
		d.add("…")
		return
	}
	d.depth++
	start := d.n
	if !d.addOwnText(s, at) {
		d.byKind(s, at, how)
	} else if how&plain == 0 && s.native != nativeDuration {
		d.quote(start)
	}
	d.depth--
}

// addOwnText adds the text that the value's own method would return, and reports whether it is
// available.
//
//go:norace
func (d *description) addOwnText(s *shape, at location) bool {
	if s.native != notNative && d.addNative(s, at) {
		return true
	}
	if s.format == nil {
		return false
	}
	root := at
	if s.kind == reflect.Pointer {
		var ok bool
		if root, ok = at.target(s.elem().size); !ok {
			return false
		}
	}
	d.addFormatted(s.format, root)
	return true
}

// byKind adds a value by the kind of its type.
//
//go:norace
func (d *description) byKind(s *shape, at location, how style) {
	switch s.kind {
	case reflect.Pointer:
		d.pointer(s, at, how)
	case reflect.Interface:
		d.addInterface(at, s, how)
	case reflect.Struct:
		d.addType(s, how)
		d.addByte('{')
		d.addFields(s, at)
		d.addByte('}')
	case reflect.Slice:
		d.addType(s, how&untyped|unnamed(s))
		d.slice(s, at)
	case reflect.Array:
		d.addType(s, how&untyped|unnamed(s))
		d.items(s.elem(), at, uintptr(s.of.Len()))
	case reflect.Map:
		d.addType(s, how&untyped|unnamed(s))
		d.length(lengthOfMap(at))
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		d.reference(s, at, how)
	default:
		d.basic(s, at, how)
	}
}

// unnamed returns the style for a type without a name, such as []error.
//
//go:norace
func unnamed(s *shape) style {
	if s.of.Name() == "" {
		return untyped
	}
	return 0
}

//go:norace
func (d *description) addType(s *shape, how style) {
	if how&untyped == 0 {
		d.add(s.name)
	}
}

// basic adds a string, a number or a boolean. Predeclared types are shown without a name.
//
//go:norace
func (d *description) basic(s *shape, at location, how style) {
	isNamed := how&untyped == 0 && s.of.PkgPath() != ""
	if isNamed {
		d.add(s.name)
		d.addByte('(')
		how = 0
	}
	if s.kind == reflect.String {
		d.string(at, how)
	} else {
		d.scalar(s, at)
	}
	if isNamed {
		d.addByte(')')
	}
}

//go:norace
func (d *description) string(at location, how style) {
	start := d.n
	address, size, ok := at.text()
	if !ok {
		d.add("…")
		return
	}
	d.addMemory(address, size)
	if how&plain == 0 {
		d.quote(start)
	}
}

//go:norace
func (d *description) scalar(s *shape, at location) {
	switch s.kind {
	case reflect.Bool:
		if load[byte](at.address) != 0 {
			d.add("true")
		} else {
			d.add("false")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.addInt(loadInt(s.size, at.address))
	case reflect.Float32:
		d.addFloat(float64(load[float32](at.address)), 32)
	case reflect.Float64:
		d.addFloat(load[float64](at.address), 64)
	case reflect.Complex64, reflect.Complex128:
		d.add("…")
	default:
		shift := 64 - 8*s.size
		d.addUint(uint64(loadInt(s.size, at.address)) << shift >> shift)
	}
}

//go:norace
func loadInt(size, address uintptr) int64 {
	switch size {
	case 1:
		return int64(load[int8](address))
	case 2:
		return int64(load[int16](address))
	case 4:
		return int64(load[int32](address))
	}
	return load[int64](address)
}

//go:norace
func (d *description) addFields(s *shape, at location) {
	isFirst := true
	for i := range s.fields {
		f := &s.fields[i]
		if f.name == "_" || d.isFull() {
			continue
		}
		if !isFirst {
			d.add(", ")
		}
		isFirst = false
		d.add(f.name)
		d.add(": ")
		d.field(f, at.plus(f.offset))
	}
}

// field adds the value of a struct field.
//
//go:norace
func (d *description) field(f *field, at location) {
	switch {
	case f.hidden:
		d.add("…")
	case f.embedded && f.shape.kind == reflect.Pointer:
		d.value(f.shape, at, follow)
	default:
		d.value(f.shape, at, untyped)
	}
}

// secrets are parts of the names of fields that are redacted. An Error method would not have
// shown them either.
var secrets = []string{"password", "passwd", "secret", "token", "apikey", "credential", "authorization", "cookie"}

func isSecret(name string) bool {
	name = strings.ToLower(name)
	for _, part := range secrets {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// pointer adds the target of a pointer if it is an error, a value that stands alone, a string or
// a number. Other fields may lead to large structures, such as the program's own data or a
// connection.
//
//go:norace
func (d *description) pointer(s *shape, at location, how style) {
	if at.word() == 0 {
		if how&untyped != 0 {
			d.add("nil")
			return
		}
		d.addByte('(')
		d.add(s.name)
		d.add(")(nil)")
		return
	}
	elem := s.elem()
	target, ok := at.target(elem.size)
	isShown := s.isError || how&follow != 0 || isBasic(elem.kind)
	if !ok || !isShown || !s.isError && isUnmapped(target, elem.size) {
		d.add(s.name)
		return
	}
	d.addByte('&')
	d.value(elem, target, 0)
}

// isUnmapped reports whether the memory has been unmapped, as memory of C may be while pointers
// to it exist.
//
//go:norace
func isUnmapped(at location, size uintptr) bool { return checksPages && !isReadable(at.address, size) }

//go:norace
func isBasic(kind reflect.Kind) bool {
	return kind == reflect.String || kind >= reflect.Bool && kind <= reflect.Float64
}

//go:norace
func (d *description) slice(s *shape, at location) {
	size, elem := at.plus(wordSize).word(), s.elem()
	shown := min(size, maxItems) * elem.size
	items, ok := at.target(shown)
	if at.trust != immutable {
		items.trust = unverified
	}
	if items.trust == unverified {
		ok = ok && isReadable(items.address, shown)
	}
	if ok {
		d.items(elem, items, size)
	} else {
		d.length(size)
	}
}

// items adds the length of a list and its first values. Bytes are not shown.
//
//go:norace
func (d *description) items(elem *shape, at location, count uintptr) {
	d.length(count)
	if elem.kind == reflect.Uint8 || count == 0 {
		return
	}
	d.addByte('{')
	for i := uintptr(0); i < min(count, maxItems); i++ {
		if i > 0 {
			d.add(", ")
		}
		d.value(elem, at.plus(i*elem.size), untyped)
	}
	if count > maxItems {
		d.add(", …")
	}
	d.addByte('}')
}

//go:norace
func (d *description) length(n uintptr) {
	d.addByte('[')
	d.addUint(uint64(n))
	d.addByte(']')
}

// reference adds the type of a value whose contents are not readable.
//
//go:norace
func (d *description) reference(s *shape, at location, how style) {
	isNil := at.word() == 0
	if isNil && how&untyped != 0 {
		d.add("nil")
		return
	}
	d.add(s.name)
	if isNil {
		d.add("(nil)")
	}
}

// lengthOfMap returns the length of a map. It does not depend on the types of keys and values.
//
//go:norace
func lengthOfMap(at location) uintptr {
	if _, ok := at.target(wordSize); !ok {
		return 0
	}
	return uintptr(len(load[map[int]int](at.address)))
}
