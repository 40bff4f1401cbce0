//go:build trace && go1.21

package functrace

// Paths of outputs, and those that name an open descriptor.

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// makeFolder creates the directory of path and its parents.
func makeFolder(path string) error {
	end := len(path)
	for end > 0 && !os.IsPathSeparator(path[end-1]) {
		end--
	}
	if end < 2 {
		return nil
	}
	return os.MkdirAll(path[:end-1], 0o777)
}

const noStream = -1

// streamOf returns the descriptor that FUNCTRACE_OUT names: stdout, stderr, or a path such as
// /dev/stdout and /dev/fd/3. Opening such a path would create another file offset, and lines
// would overwrite output of the program.
func streamOf(out string) int {
	const maxLinks = 40
	for range [maxLinks]int{} {
		if number := descriptorOf(out); number != noStream {
			return number
		}
		target, err := os.Readlink(out)
		if err != nil {
			break
		}
		if !strings.HasPrefix(target, "/") {
			target = out[:strings.LastIndexByte(out, '/')+1] + target
		}
		out = target
	}
	return noStream
}

// descriptorOf returns the descriptor that out names without following links.
func descriptorOf(out string) int {
	switch out {
	case "stdout", "/dev/stdout":
		return 1
	case "stderr", "/dev/stderr":
		return 2
	}
	for _, folder := range []string{"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/", expand("/proc/%p/fd/")} {
		if strings.HasPrefix(out, folder) {
			number, err := strconv.ParseUint(out[len(folder):], 10, 31)
			if err == nil {
				return int(number)
			}
		}
	}
	return noStream
}

func outError(err error) error { return errors.New("FUNCTRACE_OUT: " + err.Error()) }
