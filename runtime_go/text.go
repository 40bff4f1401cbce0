//go:build trace && go1.21

package functrace

import "strconv"

// A text is a buffer for the text of a record. It holds one byte more than a record keeps, which
// shows that the text was cut.
type text struct {
	bytes [maxText + 1]byte
	n     int
}

//go:norace
func (t *text) isFull() bool { return t.n == len(t.bytes) }

//go:norace
func (t *text) addByte(b byte) {
	if !t.isFull() {
		t.bytes[t.n] = b
		t.n++
	}
}

//go:norace
func (t *text) add(s string) { t.n += copy(t.bytes[t.n:], s) }

// addMemory appends n bytes of memory.
//
//go:norace
func (t *text) addMemory(address, n uintptr) {
	for i := uintptr(0); i < n && !t.isFull(); i++ {
		t.addByte(load[byte](address + i))
	}
}

//go:norace
func (t *text) addInt(n int64) {
	var digits [20]byte
	t.addBytes(strconv.AppendInt(digits[:0], n, 10))
}

//go:norace
func (t *text) addUint(n uint64) {
	var digits [20]byte
	t.addBytes(strconv.AppendUint(digits[:0], n, 10))
}

//go:norace
func (t *text) addHex(n uint64) {
	var digits [16]byte
	t.addBytes(strconv.AppendUint(digits[:0], n, 16))
}

//go:norace
func (t *text) addFloat(f float64, bits int) {
	var digits [32]byte
	t.addBytes(strconv.AppendFloat(digits[:0], f, 'g', -1, bits))
}

//go:norace
func (t *text) addBytes(b []byte) { t.n += copy(t.bytes[t.n:], b) }

// quote puts the bytes from start on in quotation marks.
//
//go:norace
func (t *text) quote(start int) {
	plain, end := t.bytes, t.n
	t.n = start
	t.addByte('"')
	for _, c := range plain[start:end] {
		t.addQuoted(c)
	}
	t.addByte('"')
}

// addQuoted appends a byte of a quoted text, escaped if necessary.
//
//go:norace
func (t *text) addQuoted(c byte) {
	const digits = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		t.addByte('\\')
		t.addByte(c)
	case c >= '\a' && c <= '\r':
		t.addByte('\\')
		t.addByte("abtnvfr"[c-'\a'])
	case c < ' ' || c == 0x7f:
		t.add(`\x`)
		t.addByte(digits[c>>4])
		t.addByte(digits[c&15])
	default:
		t.addByte(c)
	}
}
