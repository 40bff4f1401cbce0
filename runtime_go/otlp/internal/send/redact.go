package send

import (
	"net/url"
	"regexp"
	"strings"
)

// What credentials are replaced with; functrace/export/otlp/redaction.py has the same rules.
const mask = "***"

// A header's value with fewer characters is a number or a flag rather than a secret.
const shortestSecret = 4

var (
	wordPattern = regexp.MustCompile(`[^\s"'<>]+`)
	// A segment of a URL that is long and mixes letters with digits is a token more often than a name.
	tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_.%=~-]{20,}$`)
)

// Redact returns text without the credentials that it contains: user names, passwords, queries and
// tokens in URLs, and the values of headers that the variables set.
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
		if len(form) >= shortestSecret {
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
