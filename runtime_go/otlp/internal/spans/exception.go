package spans

import (
	"strings"
	"unicode"
)

// exception splits the text of a failure into an exception's type and message. In Python the text
// begins with the type, like the last line of a traceback; Go's recorder does not record the type of an
// error.
func exception(language, text string, isPanic bool) (kind, message string) {
	if language == "python" {
		end := strings.IndexFunc(text, func(r rune) bool {
			return !(unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.<>", r))
		})
		if end < 0 {
			end = len(text)
		}
		rest, isTyped := strings.CutPrefix(text[end:], ": ")
		if end > 0 && (isTyped || end == len(text)) {
			return text[:end], rest
		}
	}
	if isPanic {
		return "panic", text
	}
	return "error", text
}
