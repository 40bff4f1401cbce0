//go:build trace && go1.21

package functrace

// Globs for the names of functions; docs/globs.md defines them. rewriter/globs.py is the
// reference implementation.

import (
	"strings"
	"unicode/utf8"
)

// parseGlobs returns the globs of a list that commas or spaces separate, without what is
// removed from names, and reports whether all are valid.
func parseGlobs(list string) (globs []string, ok bool) {
	for _, glob := range strings.Fields(strings.ReplaceAll(list, ",", " ")) {
		glob = strings.ReplaceAll(glob, "[...]", "")
		if isPath(glob) || strings.ContainsAny(glob, "\\!{}'\"`[]") || !isBalanced(glob) {
			return nil, false
		}
		glob = strings.ReplaceAll(glob, "%2e", ".")
		glob = decoration.Replace(strings.ReplaceAll(glob, "(*)", "*"))
		if glob == "" {
			return nil, false
		}
		globs = append(globs, glob)
	}
	return globs, true
}

func isPath(glob string) bool {
	for _, end := range []string{"/", ".go", ".py"} {
		if strings.HasSuffix(glob, end) {
			return true
		}
	}
	return strings.Contains(glob, "...") || strings.HasPrefix(glob, "./")
}

// isBalanced reports whether all parentheses come in pairs that are not nested.
func isBalanced(glob string) bool {
	isOpen := false
	for _, r := range glob {
		if r == '(' || r == ')' {
			if isOpen == (r == '(') {
				return false
			}
			isOpen = !isOpen
		}
	}
	return !isOpen
}

// decoration removes what distinguishes no functions: parentheses and star of a receiver, and
// Python's marks of nested functions.
var decoration = strings.NewReplacer("(*", "", "(", "", ")", "", ".<locals>", "")

// matchesFunction reports whether a glob matches the full name of a function: without its
// decoration, what follows a slash or a dot after the last slash, or its package with its last
// element. The major version of its module and the number of an init function may be left out.
func matchesFunction(globs []string, name string) bool {
	return len(globs) > 0 && (matchesVersion(globs, name) || matchesVersion(globs, withoutInitNumber(name)))
}

func matchesVersion(globs []string, name string) bool {
	return matchesName(globs, name) || matchesName(globs, withoutVersion(name))
}

func matchesName(globs []string, name string) bool {
	name = strings.ReplaceAll(strings.ReplaceAll(name, "[...]", ""), "%2e", ".")
	name = decoration.Replace(name)
	rest := name
	for !matchAny(globs, rest) {
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = strings.IndexByte(rest, '.')
		}
		if end < 0 {
			return matchAny(globs, firstAndLast(name))
		}
		rest = rest[end+1:]
	}
	return true
}

// firstAndLast returns the first and the last element of the part after the last slash: the package
// and the name of a method.
func firstAndLast(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	first, last := strings.IndexByte(name, '.'), strings.LastIndexByte(name, '.')
	if first < 0 {
		return name
	}
	return name[:first] + name[last:]
}

func matchAny(globs []string, name string) bool {
	for _, glob := range globs {
		if matchGlob(glob, name) {
			return true
		}
	}
	return false
}

// matchGlob reports whether glob matches all of name. In glob, * matches any characters, slashes
// and dots included, and ? matches one character.
func matchGlob(glob, name string) bool {
	star, retry := -1, 0
	g, n := 0, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, retry = g, n
			g++
		case g < len(glob) && glob[g] == '?':
			_, size := utf8.DecodeRuneInString(name[n:])
			g++
			n += size
		case g < len(glob) && glob[g] == name[n]:
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
	return strings.Trim(glob[g:], "*") == ""
}

// withoutInitNumber returns main.init for main.init.0.
func withoutInitNumber(name string) string {
	before, rest, _ := strings.Cut(name, ".init.")
	number, after, isDotted := strings.Cut(rest, ".")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return name
	}
	if isDotted {
		after = "." + after
	}
	return before + ".init" + after
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
	if dot := strings.Index(element, escapedDot); dot > 0 && isInGopkg(name[:slash]) {
		if isVersion(element[dot+len(escapedDot):], true) {
			return name[:slash+1+dot] + function
		}
	} else if isVersion(element, false) {
		return name[:slash] + function
	}
	return name
}

// isInGopkg reports whether a folder is one of packages with versions on gopkg.in.
func isInGopkg(folder string) bool {
	return strings.HasPrefix(folder+"/", "gopkg.in/") && strings.Count(folder, "/") < 2
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
