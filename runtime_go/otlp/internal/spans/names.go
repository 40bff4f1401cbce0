package spans

import (
	"errors"
	"regexp"
	"strings"
)

// A matcher matches full function names against globs; docs/globs.md defines them.
// rewriter/globs.py is the reference implementation.
type matcher struct {
	pattern *regexp.Regexp
}

func newMatcher(globs []string) matcher {
	var patterns []string
	for _, glob := range globs {
		patterns = append(patterns, patternOf(glob))
	}
	return matcher{regexp.MustCompile("(?s)^(?:" + strings.Join(patterns, "|") + ")$")}
}

var (
	decoration = regexp.MustCompile(`\(\*|[()]|\.<locals>`)
	receiver   = regexp.MustCompile(`\([^()]*\)`)
	pathLike   = regexp.MustCompile(`\.\.\.|^\./|(?:/|\.go|\.py)$`)
	wildcards  = strings.NewReplacer(`\*`, ".*", `\?`, ".")
)

// parseGlobs returns the globs of a list that commas or spaces separate.
func parseGlobs(list string) ([]string, error) {
	globs := strings.Fields(strings.ReplaceAll(list, ",", " "))
	for _, glob := range globs {
		plain := strings.ReplaceAll(glob, "[...]", "")
		if pathLike.MatchString(plain) || strings.ContainsAny(plain, "\\!{}'\"`[]") ||
			strings.ContainsAny(receiver.ReplaceAllString(plain, ""), "()") || simplified(glob) == "" {
			return nil, errors.New("must be a list of function names, such as Get or store.*")
		}
	}
	return globs, nil
}

// simplified returns a glob without what is removed from names.
func simplified(glob string) string {
	return undecorated(strings.ReplaceAll(glob, "(*)", "*"))
}

// undecorated returns a name without type arguments, without the parentheses and star of a
// receiver, and without Python's marks of nested functions.
func undecorated(name string) string {
	name = strings.ReplaceAll(strings.ReplaceAll(name, "[...]", ""), "%2e", ".")
	return decoration.ReplaceAllString(name, "")
}

// patternOf translates a glob: * matches any number of characters, ? matches one.
func patternOf(glob string) string {
	return wildcards.Replace(regexp.QuoteMeta(simplified(glob)))
}

var leadingNumber = regexp.MustCompile(`^[0-9]+(?:\.|$)`)

// matches reports whether the name matches, with or without the major version in its import path
// and the number of an init function.
func (m matcher) matches(name string) bool {
	for _, form := range []string{name, withoutInitNumber(name)} {
		if m.matchesAnyForm(undecorated(form)) || m.matchesAnyForm(undecorated(withoutVersion(form))) {
			return true
		}
	}
	return false
}

// withoutInitNumber returns main.init for main.init.0.
func withoutInitNumber(name string) string {
	before, rest, _ := strings.Cut(name, ".init.")
	number := leadingNumber.FindString(rest)
	if number == "" {
		return name
	}
	return before + ".init" + strings.TrimPrefix(rest, strings.TrimSuffix(number, "."))
}

func (m matcher) matchesAnyForm(name string) bool {
	folders := strings.Split(name, "/")
	elements := strings.Split(folders[len(folders)-1], ".")
	names := []string{elements[0] + "." + elements[len(elements)-1]}
	if len(elements) == 1 {
		names = nil
	}
	for at := range folders {
		names = append(names, strings.Join(folders[at:], "/"))
	}
	for at := range elements {
		names = append(names, strings.Join(elements[at:], "."))
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

// shortName returns the part of a function's name after the last /, without a version. A name with
// a space is that of a request, which is not shortened.
func shortName(name string) string {
	if strings.Contains(name, " ") {
		return name
	}
	name = withoutVersion(name)
	return name[strings.LastIndexByte(name, '/')+1:]
}
