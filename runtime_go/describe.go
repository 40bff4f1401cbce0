//go:build trace && go1.21

package functrace

import (
	"reflect"
	"strings"
)

// A description is the text of an error, or of what a panic is about, read from memory: what
// the Error methods of the program would do is not known, so none is called. What is known of a
// type by its format or from the Go runtime has the text that its method returns; of any other
// value, its type and its fields are shown.
type description struct {
	text
	depth int
}

// style says how a value is shown.
type style int

const (
	plain   style = 1 << iota // a text without quotation marks, since nothing stands around it
	untyped                   // without its type, which the field has that it stands in
	follow                    // what a pointer points to, whatever that is
)

const (
	maxDepth = 8 // of values within values
	maxItems = 4 // of slices and arrays that are shown
)

// describe shows the value of a variable that no other goroutine touches, and that does not move.
// A fault on the way is a panic: pointers may lead to memory that is not Go's and was unmapped.
//
//go:norace
func (d *description) describe(variable *any) {
	defer d.recoverFromFault(setPanicOnFault(true))
	if *variable == nil {
		return // a panic whose value is not known
	}
	d.addInterface(location{addressOf(variable), immutable}, nil, plain|follow)
}

// giveUp ends a description that has met what it should not have, and restores what faults do.
//
//go:norace
func (d *description) recoverFromFault(panicsOnFault bool) {
	setPanicOnFault(panicsOnFault)
	if recover() != nil {
		clearReadablePages()
		d.add("…")
	}
}

// held shows what the interface holds that is at that spot.
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

// known shows the text that the value's own method would return, where that is known.
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

// unnamed returns the style for a type that has no name of its own, such as []error.
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

// basic shows a text, a number or a truth value. Types that Go has by itself need no name.
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

// secrets are parts of the names of fields that are not shown. An Error method would not have
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

// pointer shows what an error points to, or a value that stands alone, and texts and numbers. Of
// other fields there may be more than is worth showing: the program's own data, a connection.
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

// isGone reports whether the memory has been unmapped, which C's may be while a pointer leads to it.
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

// items shows the first of a number of values, and says how many there are. Bytes are not shown.
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

// reference shows what there is nothing to read of.
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

// lengthOfMap is that of any map: what its keys are makes no difference.
//
//go:norace
func lengthOfMap(at location) uintptr {
	if _, ok := at.target(wordSize); !ok {
		return 0
	}
	return uintptr(len(load[map[int]int](at.address)))
}
