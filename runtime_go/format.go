//go:build trace && go1.21

package functrace

import (
	"reflect"
	"strings"
)

// A format is a parsed pattern for the text of an error type, such as
//
//	{Op}[ {Net}][ {Source}->{Addr}| {Source}| {Addr}|]: {Err}
//
// Braces contain the name of a field, with dots for nested fields, or nothing for the value
// itself. A verb may follow a colon: q quotes the field, ip adds an address, host and end add the
// parts of host:port, and any other text separates the items of a slice. Brackets contain
// alternatives: the first whose fields are all set applies, else the last, which is empty if
// there is only one.
type format []piece

type piece struct {
	literal string
	field   *fieldPath
	isSelf  bool // the field is the whole value
	verb    string
	choice  []format
}

// A fieldPath locates a field: offsets, with a pointer to follow between them.
type fieldPath struct {
	pointers []step
	offset   uintptr
	of       reflect.Type
}

type step struct {
	offset uintptr
	size   uintptr // of what the pointer points to
}

// formatOf returns the format of an error type with a pattern; nil if there is no pattern or it
// does not fit the type.
func formatOf(s *shape) *format {
	t := s.of
	star := ""
	if t.Kind() == reflect.Pointer {
		t, star = t.Elem(), "*"
	}
	pattern := errorPatterns[star+t.PkgPath()+"."+t.Name()]
	if pattern == "" || t.Kind() == reflect.Pointer {
		return nil
	}
	r := patternReader{rest: pattern, root: t}
	f := r.format("")
	if r.failed {
		return nil
	}
	return &f
}

type patternReader struct {
	rest   string
	root   reflect.Type
	failed bool
}

// format parses a pattern up to one of the characters in ends.
func (r *patternReader) format(ends string) (f format) {
	for r.rest != "" && !strings.Contains(ends, r.rest[:1]) {
		var p piece
		switch r.rest[0] {
		case '{':
			var inside string
			inside, r.rest, _ = strings.Cut(r.rest[1:], "}")
			name, verb, _ := strings.Cut(inside, ":")
			p = piece{field: r.field(name), isSelf: name == "", verb: verb}
		case '[':
			p.choice = r.choice()
		default:
			n := strings.IndexAny(r.rest, "{["+ends)
			if n < 0 {
				n = len(r.rest)
			}
			p.literal, r.rest = r.rest[:n], r.rest[n:]
		}
		f = append(f, p)
	}
	return f
}

func (r *patternReader) choice() (choice []format) {
	for r.rest != "" && r.rest[0] != ']' {
		r.rest = r.rest[1:]
		choice = append(choice, r.format("|]"))
	}
	r.rest = strings.TrimPrefix(r.rest, "]")
	if len(choice) == 1 {
		choice = append(choice, nil)
	}
	return choice
}

// field returns the path of the field with that name, which may contain dots.
func (r *patternReader) field(names string) *fieldPath {
	path, t := &fieldPath{}, r.root
	for _, name := range strings.FieldsFunc(names, func(c rune) bool { return c == '.' }) {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
			path.pointers = append(path.pointers, step{path.offset, t.Size()})
			path.offset = 0
		}
		var f reflect.StructField
		found := false
		if t.Kind() == reflect.Struct {
			f, found = t.FieldByName(name)
		}
		if !found || len(f.Index) != 1 {
			r.failed = true
			return nil
		}
		path.offset += f.Offset
		t = f.Type
	}
	path.of = t
	return path
}

// from returns the location of the field in the value at that location.
//
//go:norace
func (p *fieldPath) from(at location) (location, bool) {
	for _, s := range p.pointers {
		target, ok := at.plus(s.offset).target(s.size)
		if !ok {
			return location{}, false
		}
		at = target
	}
	return at.plus(p.offset), true
}

// addFormatted adds the text of the value at that location.
//
//go:norace
func (d *description) addFormatted(f *format, at location) {
	for i := range *f {
		p := &(*f)[i]
		switch {
		case p.choice != nil:
			d.addFormatted(chooseAlternative(p.choice, at), at)
		case p.field == nil:
			d.add(p.literal)
		default:
			d.piece(p, at)
		}
	}
}

//go:norace
func (d *description) piece(p *piece, at location) {
	field, ok := p.field.from(at)
	start, s := d.n, shapeOfType(p.field.of)
	switch {
	case !ok:
		d.add("…")
	case p.verb == "ip" || p.verb == "host" || p.verb == "end":
		d.ip(field, p.verb)
	case p.verb != "" && s.kind == reflect.Slice:
		d.addJoined(s, field, p.verb)
	case p.isSelf:
		d.byKind(s, field, plain|untyped)
	default:
		d.value(s, field, plain|untyped)
	}
	if p.verb == "q" {
		d.quote(start)
	}
}

// addJoined adds all items of a slice.
//
//go:norace
func (d *description) addJoined(s *shape, at location, separator string) {
	size, elem := at.plus(wordSize).word(), s.elem()
	items, ok := at.target(elem.size)
	if at.trust != immutable {
		items.trust = unverified
	}
	for i := uintptr(0); i < size && ok && !d.isFull(); i++ {
		if i > 0 {
			d.add(separator)
		}
		item := items.plus(i * elem.size)
		if ok = isReadable(item.address, elem.size); ok {
			d.value(elem, item, plain|untyped)
		}
	}
	if size > 0 && !ok {
		d.add("…")
	}
}

// chooseAlternative returns the first alternative whose fields are set, else the last.
//
//go:norace
func chooseAlternative(choice []format, at location) *format {
	for i := range choice {
		if i == len(choice)-1 || choice[i].isSet(at) {
			return &choice[i]
		}
	}
	return nil
}

// isSet reports whether none of the fields is zero.
//
//go:norace
func (f format) isSet(at location) bool {
	for i := range f {
		if f[i].field == nil {
			continue
		}
		field, ok := f[i].field.from(at)
		if !ok || isZero(f[i].field.of.Kind(), field) {
			return false
		}
	}
	return true
}

//go:norace
func isZero(kind reflect.Kind, at location) bool {
	switch kind {
	case reflect.String, reflect.Slice:
		return at.plus(wordSize).word() == 0
	case reflect.Interface, reflect.Pointer, reflect.Map:
		return at.word() == 0
	}
	return false
}
