//go:build trace && go1.21

package functrace

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// A mode is what becomes of calls.
type mode int

const (
	modeText mode = iota
	modeRecord
	modeOff
)

// config is what the environment asks for.
type config struct {
	mode             mode
	out              string
	depth            int
	maxSize          int64 // bytes that a file gets
	overwrite        bool  // the oldest calls when a trace is full
	minDuration      time.Duration
	signal           string // that stops tracing and starts it again
	include, exclude []string
}

var settings config

func readConfig(getenv func(string) string) (config, error) {
	c := config{
		out:     getenv("FUNCTRACE_OUT"),
		depth:   math.MaxInt,
		maxSize: 1 << 30,
		signal:  getenv("FUNCTRACE_SIGNAL"),
		include: globs(getenv("FUNCTRACE_INCLUDE")),
		exclude: globs(getenv("FUNCTRACE_EXCLUDE")),
	}
	switch mode := getenv("FUNCTRACE"); mode {
	case "", "text":
	case "record":
		c.mode = modeRecord
	case "off":
		c.mode = modeOff
	default:
		return c, errors.New("FUNCTRACE=" + mode + " is none of text, record and off")
	}
	switch full := getenv("FUNCTRACE_FULL"); full {
	case "", "stop":
	case "overwrite":
		c.overwrite = true
	default:
		return c, errors.New("FUNCTRACE_FULL=" + full + " is neither stop nor overwrite")
	}
	if text := getenv("FUNCTRACE_MIN_DURATION"); text != "" {
		duration, err := time.ParseDuration(text)
		if err != nil || duration < 0 {
			return c, errors.New("FUNCTRACE_MIN_DURATION=" + text + " is not a time such as 5us or 2ms")
		}
		c.minDuration = duration
	}
	if text := getenv("FUNCTRACE_DEPTH"); text != "" {
		depth, err := strconv.Atoi(text)
		if err != nil || depth < 1 {
			return c, errors.New("FUNCTRACE_DEPTH=" + text + " is not a number of levels")
		}
		c.depth = depth
	}
	if text := getenv("FUNCTRACE_MAX_SIZE"); text != "" {
		size, ok := parseSize(text)
		if !ok {
			return c, errors.New("FUNCTRACE_MAX_SIZE=" + text + " is not a size such as 500M or 2G")
		}
		c.maxSize = size
	}
	return c, nil
}

// parseSize reads a number of bytes, or of kibi-, mebi- or gibibytes.
func parseSize(text string) (int64, bool) {
	unit := strings.IndexByte("KMG", text[len(text)-1])
	if unit >= 0 {
		text = text[:len(text)-1]
	}
	shift := 10 * (unit + 1)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

func globs(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// shows reports whether calls of the function called name are printed.
func (c *config) shows(name string) bool {
	return (len(c.include) == 0 || matchAny(c.include, name)) && !matchAny(c.exclude, name)
}

// expand puts the process id into a path.
func expand(path string) string {
	pid := strconv.Itoa(os.Getpid())
	return strings.NewReplacer("%p", pid, "%%", "%").Replace(path)
}
