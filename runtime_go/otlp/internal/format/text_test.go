package format

import "testing"

// What Python's decoder makes of the same: one replacement for what could have become a character.
func TestText(t *testing.T) {
	for data, want := range map[string]string{
		"ein Grund: ü":     "ein Grund: ü",
		"a\xe2\x80":        "a\ufffd",
		"\xe2\x80a":        "\ufffda",
		"\xff\xfe":         "\ufffd\ufffd",
		"\xf0\x9f\x98":     "\ufffd",
		"\xed\xa0\x80":     "\ufffd\ufffd\ufffd",
		"\xc0\xaf":         "\ufffd\ufffd",
		"\xf4\x90\x80\x80": "\ufffd\ufffd\ufffd\ufffd",
		"\xe0\x80\x80":     "\ufffd\ufffd\ufffd",
		"\xf1\x80\xc3\xa4": "\ufffdä",
	} {
		if got := Text([]byte(data)); got != want {
			t.Errorf("%q: %q, not %q", data, got, want)
		}
	}
}
