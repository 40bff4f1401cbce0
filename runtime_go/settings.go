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
	modeLive // a recording that a sender follows
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
	systemClock      bool   // even where the processor's counter would do
	callsError       bool   // to get the text of an error
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
	for _, v := range variables {
		if text := getenv(v.name); text != "" && !v.read(&c, text) {
			return c, errors.New(v.name + "=" + text + " is " + v.unlike)
		}
	}
	if c.mode == modeLive {
		c.overwrite = true // the sender takes calls away at its own pace
		if getenv("FUNCTRACE_MAX_SIZE") == "" {
			c.maxSize = liveSize
		}
	}
	return c, nil
}

// liveSize is what a trace gets that a sender follows: some seconds' calls, or less of a very
// busy program.
const liveSize = 64 << 20

// variables are those whose values may make no sense, which is said by what they are unlike.
var variables = []struct {
	name   string
	read   func(c *config, text string) bool
	unlike string
}{
	{"FUNCTRACE", (*config).readMode, "none of text, record, otlp and off"},
	{"FUNCTRACE_FULL", (*config).readFull, "neither stop nor overwrite"},
	{"FUNCTRACE_MIN_DURATION", (*config).readMinDuration, "not a time such as 5us or 2ms"},
	{"FUNCTRACE_CLOCK", (*config).readClock, "neither counter nor system"},
	{"FUNCTRACE_ERROR_TEXT", (*config).readErrorText, "neither fields nor call"},
	{"FUNCTRACE_DEPTH", (*config).readDepth, "not a number of levels"},
	{"FUNCTRACE_MAX_SIZE", (*config).readMaxSize, "not a size such as 500M or 2G"},
}

func (c *config) readMode(text string) bool {
	modes := map[string]mode{"text": modeText, "record": modeRecord, "otlp": modeLive, "off": modeOff}
	m, ok := modes[text]
	c.mode = m
	return ok
}

func (c *config) readFull(text string) bool {
	c.overwrite = text == "overwrite"
	return c.overwrite || text == "stop"
}

func (c *config) readMinDuration(text string) bool {
	d, err := time.ParseDuration(text)
	c.minDuration = d
	return err == nil && d >= 0
}

func (c *config) readClock(text string) bool {
	c.systemClock = text == "system"
	return c.systemClock || text == "counter"
}

func (c *config) readErrorText(text string) bool {
	c.callsError = text == "call"
	return c.callsError || text == "fields"
}

func (c *config) readDepth(text string) bool {
	n, err := strconv.Atoi(text)
	c.depth = n
	return err == nil && n >= 1
}

func (c *config) readMaxSize(text string) (ok bool) {
	c.maxSize, ok = parseSize(text)
	return ok
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
	return (len(c.include) == 0 || means(c.include, name)) && !means(c.exclude, name)
}

// expand puts the process id into a path.
func expand(path string) string {
	pid := strconv.Itoa(os.Getpid())
	return strings.NewReplacer("%p", pid, "%%", "%").Replace(path)
}
