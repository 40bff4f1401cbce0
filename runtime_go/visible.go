//go:build trace && go1.21

package functrace

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// visible returns text on one line, with control and invisible characters escaped as \x1b, \n or
// \u202e: paths and settings may contain characters that a terminal interprets.
func visible(text string) string {
	var b strings.Builder
	for at, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[at:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatInt(int64(text[at]), 16))
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
