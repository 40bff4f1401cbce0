//go:build trace && go1.21

package functrace

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

func TestEscape(t *testing.T) {
	content, err := os.ReadFile("../tests/vectors/escaping.json")
	if os.IsNotExist(err) {
		t.Skip("not in the repository: no test vectors")
	}
	var vectors []struct{ Text, Bytes, Escaped string }
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		notUTF8, err := hex.DecodeString(v.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		text := v.Text + string(notUTF8)
		if got := escape(text); got != v.Escaped {
			t.Errorf("escape(%q) = %q, want %q", text, got, v.Escaped)
		}
	}
}
