//go:build trace

package functrace

import (
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
