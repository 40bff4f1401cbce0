package spans

import (
	"strings"
	"unicode"
)

// failure returns the type and the message of what a failed call met, of which a trace has one text.
// In Python that begins with the exception's type, as the last line of a traceback does; Go's
// recorder keeps what an error says, not its type.
func failure(language, text string, isPanic bool) (kind, told string) {
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
