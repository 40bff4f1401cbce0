package send

import (
	"net/url"
	"regexp"
	"strings"
)

// mask replaces credentials; functrace/export/otlp/redaction.py has the same rules.
const mask = "***"

// A shorter header value is a number or a flag rather than a secret.
const minSecretBytes = 4

var (
	wordPattern = regexp.MustCompile(`[^\s"'<>]+`)
	// A long segment of a URL that mixes letters and digits is more often a token than a name.
	tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_.%=~-]{20,}$`)
)

// Redact masks credentials in text: user names, passwords, queries and tokens in URLs, and the values
// of headers that the OTEL_EXPORTER_OTLP variables set.
func Redact(text string, variable func(name string) string) string {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"} {
		for _, header := range strings.Split(variable(name), ",") {
			_, value, _ := strings.Cut(header, "=")
			text = redactSecret(text, strings.TrimSpace(value))
		}
	}
	return wordPattern.ReplaceAllStringFunc(text, redactWord)
}

func redactSecret(text, value string) string {
	decoded, err := url.PathUnescape(value)
	if err != nil {
		decoded = value
	}
	for _, form := range []string{value, decoded} {
		if len(form) >= minSecretBytes {
			text = strings.ReplaceAll(text, form, mask)
		}
	}
	return text
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
