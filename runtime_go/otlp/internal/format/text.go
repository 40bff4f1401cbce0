package format

import (
	"strings"
	"unicode/utf8"
)

// Text decodes a text of the trace. Like Python, it replaces an incomplete UTF-8 character with one
// replacement character, not with one for each byte.
func Text(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	var b strings.Builder
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			size = incompleteBytes(data)
		}
		b.WriteRune(r)
		data = data[size:]
	}
	return b.String()
}

// incompleteBytes returns the length, at least 1, of the incomplete character that data begins with.
func incompleteBytes(data []byte) int {
	if len(data) < 2 {
		return 1
	}
	low, high, size := byte(0x80), byte(0xbf), 0
	switch first := data[0]; {
	case first >= 0xc2 && first <= 0xdf:
		size = 2
	case first >= 0xe0 && first <= 0xef:
		size = 3
	case first >= 0xf0 && first <= 0xf4:
		size = 4
	default:
		return 1
	}
	switch data[0] {
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	at := 1
	for at < size && at < len(data) && data[at] >= low && data[at] <= high {
		low, high = 0x80, 0xbf
		at++
	}
	return at
}
