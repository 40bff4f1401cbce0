package spans

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// readVectors reads a file of the repository's tests.
func readVectors(t *testing.T, path string, into any) {
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skip("not in the repository: no test vectors")
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutVersion(t *testing.T) {
	var names [][2]string
	readVectors(t, "../../../../tests/vectors_of_names.json", &names)
	for _, name := range names {
		if got := withoutVersion(name[0]); got != name[1] {
			t.Errorf("withoutVersion(%q) = %q, want %q", name[0], got, name[1])
		}
	}
}

// TestGlobVectors tests the vectors in the file that FUNCTRACE_TEST_GLOBS names, by default the
// repository's.
func TestGlobVectors(t *testing.T) {
	path := os.Getenv("FUNCTRACE_TEST_GLOBS")
	if path == "" {
		path = "../../../../tests/vectors_of_globs.json"
	}
	var vectors struct {
		Lists   [][2]any
		Invalid []string
		Names   [][4]any // glob, name, language, whether they match
	}
	readVectors(t, path, &vectors)
	for _, list := range vectors.Lists {
		want := []string{}
		for _, glob := range list[1].([]any) {
			want = append(want, glob.(string))
		}
		if got, err := parseGlobs(list[0].(string)); err != nil || !reflect.DeepEqual(append([]string{}, got...), want) {
			t.Errorf("parseGlobs(%q) = %q, %v", list[0], got, err)
		}
	}
	for _, glob := range vectors.Invalid {
		if _, err := parseGlobs(glob); err == nil {
			t.Errorf("%s is accepted", glob)
		}
	}
	for _, v := range vectors.Names {
		glob, name := v[0].(string), v[1].(string)
		if _, err := parseGlobs(glob); err != nil {
			t.Errorf("%s: %v", glob, err)
		} else if got := newMatcher([]string{glob}).matches(name); got != v[3].(bool) {
			t.Errorf("%s matches %s: %v, want %v", glob, name, got, v[3])
		}
	}
}
