package spans

import (
	"regexp"
	"strings"
)

// A matcher matches full function names against globs, like functrace export --root.
//
// Besides the full name, a glob may match the part after the last /, with or without (*…) and
// <locals>; the last elements of that part; and its first with its last element. For the method
// store.(*Store).Get these are store.Store.Get, Store.Get, Get and store.Get.
type matcher struct {
	pattern *regexp.Regexp
}

func newMatcher(globs []string) matcher {
	var patterns []string
	for _, glob := range globs {
		patterns = append(patterns, patternOf(glob), patternOf(strings.ReplaceAll(glob, ".<locals>", "")))
	}
	return matcher{regexp.MustCompile("(?s)^(?:" + strings.Join(patterns, "|") + ")$")}
}

var wildcard = regexp.MustCompile(`\.\.\.|[*?]`)

// patternOf translates a glob: * and ... match any number of characters, ? matches one.
func patternOf(glob string) string {
	if trimmed := strings.TrimRight(strings.TrimPrefix(glob, "./"), "/"); trimmed != "" {
		glob = trimmed
	}
	head, isFolder := strings.CutSuffix(glob, "/...")
	var b strings.Builder
	at := 0
	for _, found := range wildcard.FindAllStringIndex(head, -1) {
		b.WriteString(regexp.QuoteMeta(head[at:found[0]]))
		at = found[1]
		if head[found[0]:at] == "?" {
			b.WriteString(".")
		} else {
			b.WriteString(".*")
		}
	}
	b.WriteString(regexp.QuoteMeta(head[at:]))
	if isFolder {
		b.WriteString("(?:/.*)?")
	}
	return b.String()
}

var decoration = regexp.MustCompile(`\(\*|[()]|\.<locals>`)

// matches reports whether the name matches, with or without the major version in its import path.
func (m matcher) matches(name string) bool {
	return m.matchesAnyForm(name) || m.matchesAnyForm(withoutVersion(name))
}

func (m matcher) matchesAnyForm(name string) bool {
	short := name[strings.LastIndexByte(name, '/')+1:]
	plain := decoration.ReplaceAllString(short, "")
	names := []string{name, short, plain}
	parts := strings.Split(plain, ".")
	for at := 1; at < len(parts); at++ {
		names = append(names, strings.Join(parts[at:], "."))
	}
	if len(parts) > 1 {
		names = append(names, parts[0]+"."+parts[len(parts)-1])
	}
	for _, each := range names {
		if m.pattern.MatchString(each) {
			return true
		}
	}
	return false
}

var (
	suffix = regexp.MustCompile(`/v(?:[2-9]|[1-9]\d+)(\.[^/]*)?$`)
	gopkg  = regexp.MustCompile(`^(gopkg\.in/(?:[^/]+/)?[^/.%]+)%2ev\d+(\.[^/]*)?$`)
)

// withoutVersion removes the major version from the import path in a function's full name. The Go
// runtime has the same rule.
func withoutVersion(name string) string {
	if found := gopkg.FindStringSubmatch(name); found != nil {
		return found[1] + found[2]
	}
	return suffix.ReplaceAllString(name, "$1")
}

// shortName returns the part of a function's name after the last /, without a version.
func shortName(name string) string {
	name = withoutVersion(name)
	return name[strings.LastIndexByte(name, '/')+1:]
}
