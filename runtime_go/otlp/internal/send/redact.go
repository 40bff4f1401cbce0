package send

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// mask replaces credentials; functrace/export/otlp/redaction.py has the same rules.
const mask = "***"

const (
	minSecret         = 4 // characters; a shorter header value is a number or a flag
	minSecretAnywhere = 8 // a shorter one is masked only as a whole word
)

// ordinary are header values that are no secrets: they are in messages without the header, too.
var ordinary = strings.Fields("basic bearer default development false grpc gzip http https json none" +
	" null otlp prod production protobuf staging test true")

var (
	wordPattern = regexp.MustCompile(`[^\s"'<>]+`)
	// A long segment of a URL that mixes letters and digits is more often a token than a name.
	tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_.%=~-]{20,}$`)
)

// Redact masks credentials in text: user names, passwords, queries and tokens in URLs, and the values
// of headers that the OTEL_EXPORTER_OTLP variables set, also their words alone. Ordinary words are not.
func Redact(text string, variable func(name string) string) string {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"} {
		for _, header := range strings.Split(variable(name), ",") {
			_, value, _ := strings.Cut(header, "=")
			text = redactValue(text, strings.Trim(value, " \t"))
		}
	}
	return wordPattern.ReplaceAllStringFunc(text, redactWord)
}

func redactValue(text, value string) string {
	decoded, err := url.PathUnescape(value)
	if err != nil {
		decoded = value
	}
	for _, form := range []string{value, decoded} {
		for _, secret := range append([]string{form}, strings.Split(form, " ")...) {
			if isSecret(secret) {
				text = redactSecret(text, secret)
			}
		}
	}
	return text
}

func isSecret(value string) bool {
	return utf8.RuneCountInString(value) >= minSecret && !slices.Contains(ordinary, strings.ToLower(value))
}

func redactSecret(text, secret string) string {
	if utf8.RuneCountInString(secret) >= minSecretAnywhere {
		return strings.ReplaceAll(text, secret, mask)
	}
	done := ""
	for from := 0; ; {
		at := strings.Index(text[from:], secret)
		if at < 0 {
			return done + text
		}
		at += from
		end := at + len(secret)
		if isInWord(text, at) || isInWord(text, end) {
			from = at + 1
			continue
		}
		done, text, from = done+text[:at]+mask, text[end:], 0
	}
}

// isInWord reports whether the bytes before and at an index belong to one word.
func isInWord(text string, at int) bool {
	return at > 0 && at < len(text) && isAlphanumeric(text[at-1]) && isAlphanumeric(text[at])
}

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

func redactWord(word string) string {
	if address, query, isFound := strings.Cut(word, "?"); isFound && address != "" && strings.Contains(query, "=") {
		word = address + "?" + mask
		if strings.HasSuffix(query, ":") {
			word += ":"
		}
	}
	scheme, rest := "", word
	if at := strings.Index(word, "://"); at >= 0 {
		scheme, rest = word[:at+3], word[at+3:]
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], "/")
		if scheme != "" || strings.Contains(user, ":") {
			rest = mask + rest[at:]
		}
	}
	if scheme == "" {
		return rest
	}
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		segments[i] = redactSegment(segment)
	}
	return scheme + strings.Join(segments, "/")
}

func redactSegment(segment string) string {
	name := strings.TrimSuffix(segment, ":")
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	isToken := tokenPattern.MatchString(name) &&
		strings.ContainsAny(name, "0123456789") && strings.ContainsAny(name, letters)
	if !isToken {
		return segment
	}
	return mask + segment[len(name):]
}
