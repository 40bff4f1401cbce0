//go:build trace && go1.21

package functrace

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// escape returns text on one line, with escapes such as \x1b, \n or \u202e in place of characters
// that are invisible or control the terminal. docs/security.md defines the rule.
func escape(text string) string {
	var b strings.Builder
	for at, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[at:], "\uFFFD"):
			writeEscape(&b, rune(text[at])) // not UTF-8
		case isVisible(r):
			b.WriteRune(r)
		default:
			writeEscape(&b, r)
		}
	}
	return b.String()
}

// isVisible reports whether r is a letter, mark, number, punctuation, symbol or space that has a
// glyph or a width.
func isVisible(r rune) bool {
	switch {
	case 0xFE00 <= r && r <= 0xFE0D, 0xE0100 <= r && r <= 0xE01EF: // variation selectors except U+FE0E, U+FE0F
		return false
	case strconv.IsPrint(r):
		return !strings.ContainsRune(invisible, r)
	}
	return strings.ContainsRune(spaces, r)
}

// Spaces other than U+0020, for which strconv.IsPrint is false.
const spaces = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"

// Letters, marks and symbols without a glyph.
const invisible = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0" +
	"\U00013441\U00013442\U00016fe4\U0001d159"

func writeEscape(b *strings.Builder, r rune) {
	const digits = "0123456789abcdef"
	letter, shift := byte('U'), 28
	switch {
	case r == '\n' || r == '\r' || r == '\t':
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		return
	case r < 0x100:
		letter, shift = 'x', 4
	case r < 0x10000:
		letter, shift = 'u', 12
	}
	b.WriteByte('\\')
	b.WriteByte(letter)
	for ; shift >= 0; shift -= 4 {
		b.WriteByte(digits[r>>shift&15])
	}
}
