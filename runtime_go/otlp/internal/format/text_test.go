package format

import "testing"

// The expected texts are those of Python's decoder.
func TestText(t *testing.T) {
	for data, want := range map[string]string{
		"a reason: ü":      "a reason: ü",
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
			t.Errorf("Text(%q) = %q, want %q", data, got, want)
		}
	}
}
