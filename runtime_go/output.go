//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// makeFolder creates the folder that the path leads into, and those above it.
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

// streamOf returns the descriptor that FUNCTRACE_OUT stands for: of stdout and stderr, and of
// paths such as /dev/stdout and /dev/fd/3. Opening one of those would yield another file offset,
// at which lines overwrite what the program writes.
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
