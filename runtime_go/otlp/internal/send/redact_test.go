package send

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Python passes the same vectors.
func TestRedactionVectors(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "tests", "vectors", "redaction.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Environment map[string]string
		Cases       [][2]string
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, vector := range vectors.Cases {
		got := Redact(vector[0], func(name string) string { return vectors.Environment[name] })
		if got != vector[1] {
			t.Errorf("Redact(%q)\n got %q\nwant %q", vector[0], got, vector[1])
		}
	}
}
