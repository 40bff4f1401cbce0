package spans

import (
	"regexp"
	"strings"
)

// A namer tells whether a full function name is meant by a glob.
//
// Beside the full name, what stands behind its last / may match, with or without (*…) and
// <locals>; the last elements of that; and the first with the last: of a method
// store.(*Store).Get, store.Store.Get, Store.Get, Get, store.Get. So it is with --root.
type namer struct {
	pattern *regexp.Regexp
}

func newNamer(globs []string) namer {
	var patterns []string
	for _, glob := range globs {
		patterns = append(patterns, patternOf(glob), patternOf(strings.ReplaceAll(glob, ".<locals>", "")))
	}
	return namer{regexp.MustCompile("(?s)^(?:" + strings.Join(patterns, "|") + ")$")}
}

var wild = regexp.MustCompile(`\.\.\.|[*?]`)

// patternOf has * and ... stand for any run of characters, ? for one.
func patternOf(glob string) string {
	if trimmed := strings.TrimRight(strings.TrimPrefix(glob, "./"), "/"); trimmed != "" {
		glob = trimmed
	}
	head, isFolder := strings.CutSuffix(glob, "/...")
	var b strings.Builder
	at := 0
	for _, found := range wild.FindAllStringIndex(head, -1) {
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

func (n namer) means(name string) bool {
	return n.meansAsSpelt(name) || n.meansAsSpelt(withoutVersion(name))
}

var (
	suffix = regexp.MustCompile(`/v(?:[2-9]|[1-9]\d+)(\.[^/]*)?$`)
	gopkg  = regexp.MustCompile(`^(gopkg\.in/(?:[^/]+/)?[^/.%]+)%2ev\d+(\.[^/]*)?$`)
)

// withoutVersion removes the suffix of a major version from the import path in a
// function's full name; the runtime has the same rule.
func withoutVersion(name string) string {
	if found := gopkg.FindStringSubmatch(name); found != nil {
		return found[1] + found[2]
	}
	return suffix.ReplaceAllString(name, "$1")
}

// shortName is what stands behind the last / of a function's name, without a version.
func shortName(name string) string {
	name = withoutVersion(name)
	return name[strings.LastIndexByte(name, '/')+1:]
}

func (n namer) meansAsSpelt(name string) bool {
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
		if n.pattern.MatchString(each) {
			return true
		}
	}
	return false
}
