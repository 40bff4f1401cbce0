//go:build trace

package functrace

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"main.f", "main.f", true},
		{"main.f", "main.ff", false},
		{"main.*", "main.(*T).Get", true},
		{"*/store.*", "example.com/a/store.Get", true},
		{"*.Get", "example.com/a/store.Get", true},
		{"*.Ge?", "store.Get", true},
		{"a*b*c", "axxbyybzzc", true},
		{"a*b*c", "axxbyyb", false},
		{"", "", true},
		{"*", "", true},
		{"?", "", false},
	} {
		if got := matchGlob(c.glob, c.name); got != c.want {
			t.Errorf("matchGlob(%q, %q) = %v", c.glob, c.name, got)
		}
	}
}

func TestWithoutVersion(t *testing.T) {
	for _, name := range namesWithVersions(t) {
		if got := withoutVersion(name[0]); got != name[1] {
			t.Errorf("withoutVersion(%q) = %q, not %q", name[0], got, name[1])
		}
	}
	c := config{include: []string{"*/chi.*"}, exclude: []string{"*/yaml.F"}}
	if !c.isTraced("github.com/go-chi/chi/v5.(*Mux).Get") || c.isTraced("gopkg.in/yaml%2ev3.F") {
		t.Error("globs do not match names without their versions")
	}
}

// namesWithVersions returns the vectors that all implementations share.
func namesWithVersions(t *testing.T) (names [][2]string) {
	content, err := os.ReadFile("../tests/vectors_of_names.json")
	if os.IsNotExist(err) {
		t.Skip("the runtime is tested elsewhere than in its repository")
	}
	if err := json.Unmarshal(content, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

func FuzzMatchGlob(f *testing.F) {
	f.Add("main.*", "main.f")
	f.Add("*a?b*", "xxaabyy")
	f.Fuzz(func(t *testing.T, glob, name string) {
		if strings.Trim(glob+name, "abc.*?/") != "" {
			t.Skip("the reference counts in runes")
		}
		quoted := regexp.QuoteMeta(glob)
		quoted = strings.ReplaceAll(quoted, `\*`, `.*`)
		quoted = strings.ReplaceAll(quoted, `\?`, `.`)
		want := regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(name)
		if got := matchGlob(glob, name); got != want {
			t.Errorf("matchGlob(%q, %q) = %v", glob, name, got)
		}
	})
}
