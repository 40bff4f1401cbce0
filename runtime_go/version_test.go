//go:build trace

package functrace

import (
	"os"
	"strings"
	"testing"
)

// The command functrace identifies the runtime by the first line of doc.go in its folders.
func TestVersionsAgree(t *testing.T) {
	for _, path := range []string{"doc.go", "tracehttp/doc.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if line, _, _ := strings.Cut(string(text), "\n"); line != "// functrace:runtime "+version {
			t.Errorf("%s begins with %q, the version is %s", path, line, version)
		}
	}
}
