package send

import "testing"

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"/tmp/naïve 数字 'a' \"b\" c:\\d \uFFFD": "/tmp/naïve 数字 'a' \"b\" c:\\d \uFFFD",
		"\x1b]0;title\a\n\tb\r\x7f":            `\x1b]0;title\a\n\tb\r\x7f`,
		"\u202eabc\u2069\u200b\u2028\u009b":    `\u202eabc\u2069\u200b\u2028\u009b`,
		"bytes \xff\x9b2J":                     `bytes \xff\x9b2J`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("Visible(%q) = %q, want %q", text, got, want)
		}
	}
}
