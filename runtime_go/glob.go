//go:build trace && go1.21

package functrace

// Globs for the names of functions.

import "strings"

// matchGlob reports whether glob matches all of name. In glob, * matches any bytes, slashes and
// dots included, and ? matches one byte.
func matchGlob(glob, name string) bool {
	star, retry := -1, 0
	g, n := 0, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, retry = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g++
			n++
		case star >= 0:
			// Let the last star match one more byte.
			retry++
			g, n = star+1, retry
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}

func matchAny(globs []string, name string) bool {
	for _, glob := range globs {
		if matchGlob(glob, name) {
			return true
		}
	}
	return false
}

// matchesFunction reports whether a glob matches the full name of a function, with or without the
// major version of its module.
func matchesFunction(globs []string, name string) bool {
	return matchAny(globs, name) || matchAny(globs, withoutVersion(name))
}

// withoutVersion removes the suffix of a major version from the import path in a
// function's full name; see https://go.dev/ref/mod#major-version-suffixes. v0 and v1
// are no such suffixes. gopkg.in has the version behind a dot, which is escaped.
func withoutVersion(name string) string {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return name
	}
	element, function := name[slash+1:], ""
	if dot := strings.IndexByte(element, '.'); dot >= 0 {
		element, function = element[:dot], element[dot:]
	}
	const escapedDot = "%2e"
	if dot := strings.LastIndex(element, escapedDot); dot > 0 && strings.HasPrefix(name, "gopkg.in/") {
		if isVersion(element[dot+len(escapedDot):], true) {
			return name[:slash+1+dot] + function
		}
	} else if isVersion(element, false) {
		return name[:slash] + function
	}
	return name
}

// isVersion reports whether text is v and a number: of two or more, or of any if allowsFirst is set.
func isVersion(text string, allowsFirst bool) bool {
	if len(text) < 2 || text[0] != 'v' {
		return false
	}
	for i := 1; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return allowsFirst || text[1] > '1' || text[1] == '1' && len(text) > 2
}
