//go:build trace

package functrace

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// globVectors are the vectors that all implementations share.
type globVectors struct {
	Lists   [][2]any
	Invalid []string
	Names   [][4]any // glob, name, language, whether they match
}

// readVectors reads a file of the repository's tests.
func readVectors(t *testing.T, path string, into any) {
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("the runtime is tested elsewhere than in its repository")
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

// TestGlobVectors tests the vectors in the file that FUNCTRACE_TEST_GLOBS names, by default the
// repository's.
func TestGlobVectors(t *testing.T) {
	path := os.Getenv("FUNCTRACE_TEST_GLOBS")
	if path == "" {
		path = "../tests/vectors_of_globs.json"
	}
	var vectors globVectors
	readVectors(t, path, &vectors)
	for _, list := range vectors.Lists {
		want := []string{}
		for _, glob := range list[1].([]any) {
			want = append(want, strings.ReplaceAll(glob.(string), "[...]", ""))
		}
		if got, ok := parseGlobs(list[0].(string)); !ok || !reflect.DeepEqual(append([]string{}, got...), want) {
			t.Errorf("parseGlobs(%q) = %q, %v", list[0], got, ok)
		}
	}
	for _, glob := range vectors.Invalid {
		if got, ok := parseGlobs(glob); ok {
			t.Errorf("%s is accepted: %q", glob, got)
		}
	}
	for _, v := range vectors.Names {
		glob, name := v[0].(string), v[1].(string)
		globs, ok := parseGlobs(glob)
		if got := matchesFunction(globs, name); !ok || got != v[3].(bool) {
			t.Errorf("%s matches %s: %v, want %v", glob, name, got, v[3])
		}
	}
}

func TestWithoutVersion(t *testing.T) {
	var names [][2]string
	readVectors(t, "../tests/vectors_of_names.json", &names)
	for _, name := range names {
		if got := withoutVersion(name[0]); got != name[1] {
			t.Errorf("withoutVersion(%q) = %q, not %q", name[0], got, name[1])
		}
	}
}
