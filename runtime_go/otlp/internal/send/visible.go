package send

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Visible escapes unprintable characters, such as \x1b, \n and \u202e: paths and settings may contain
// control sequences of terminals.
func Visible(text string) string {
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
