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
	var vectors [][2]string
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{
		"OTEL_EXPORTER_OTLP_HEADERS":        "x-api-key=k3y-of-ours,x-tenant=1",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Basic%20eDp5",
	}
	for _, vector := range vectors {
		got := Redact(vector[0], func(name string) string { return variables[name] })
		if got != vector[1] {
			t.Errorf("Redact(%q)\n got %q\nwant %q", vector[0], got, vector[1])
		}
	}
}
