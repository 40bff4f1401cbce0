//go:build trace && go1.21

package functrace

// Service and release from the variables of OpenTelemetry.

import (
	"strconv"
	"strings"
)

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// resourceAttribute returns the value of an attribute in OTEL_RESOURCE_ATTRIBUTES, which is
// key=value,key=value with percent-encoded values. Of several, the last one counts.
func resourceAttribute(attributes, name string) string {
	found := ""
	for _, item := range strings.Split(attributes, ",") {
		key, value, isPair := strings.Cut(item, "=")
		if isPair && strings.TrimSpace(key) == name {
			found = percentDecoded(strings.TrimSpace(value))
		}
	}
	return found
}

// percentDecoded returns the text itself if it has an invalid escape.
func percentDecoded(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' {
			if len(text)-i < 3 {
				return text
			}
			n, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return text
			}
			c = byte(n)
			i += 2
		}
		b.WriteByte(c)
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}
