//go:build trace && go1.21

package functrace

// Settings from the environment.

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// A mode selects what is done with calls.
type mode int

const (
	modeText mode = iota
	modeRecord
	modeLive // a recording that a sender follows
	modeRing // a recording in memory that keeps the latest calls
	modeOff
)

// config contains the settings from the environment.
type config struct {
	mode             mode
	out              string
	depth            int
	maxSize          int64 // maximum size of a file in bytes
	overwrite        bool  // overwrite the oldest calls when the trace is full
	minDuration      time.Duration
	budget           int    // the recorder's share of the CPU time in parts per million; 0 for no limit
	systemClock      bool   // do not use the processor's counter
	callsErrorMethod bool   // call Error methods for the text of errors
	signal           string // name of the signal that toggles tracing
	include, exclude []string
	propagate        propagation
	fullURLs         bool   // names of requests have the path and the query
	service, release string // in the trace

	// With ring: its folder, and how many rings of processes that have ended are kept, and their bytes.
	ringFolder    string
	keptRings     int
	keptRingsSize int64
}

var settings config

// readConfig reads and checks the settings.
func readConfig(getenv func(string) string) (config, error) {
	c := config{
		out:     getenv("FUNCTRACE_OUT"),
		depth:   math.MaxInt,
		maxSize: 1 << 30,
		signal:  getenv("FUNCTRACE_SIGNAL"),
		service: getenv("FUNCTRACE_SERVICE"),
		release: getenv("FUNCTRACE_RELEASE"),

		ringFolder:    getenv("FUNCTRACE_RING_DIR"),
		keptRings:     16,
		keptRingsSize: 1 << 30,
	}
	attributes := getenv("OTEL_RESOURCE_ATTRIBUTES")
	c.service = firstOf(c.service, getenv("OTEL_SERVICE_NAME"), resourceAttribute(attributes, "service.name"))
	c.release = firstOf(c.release, resourceAttribute(attributes, "service.version"))
	for _, v := range variables {
		if text := getenv(v.name); text != "" && !v.read(&c, text) {
			return c, errors.New(v.name + "=" + text + " is " + v.requirement)
		}
	}
	if c.mode == modeLive || c.mode == modeRing {
		c.overwrite = true // a sender reads calls at its own pace
		if getenv("FUNCTRACE_MAX_SIZE") == "" {
			c.maxSize = ringSize
		}
	}
	return c, c.completeBudget(getenv("FUNCTRACE_BUDGET"))
}

// ringSize is the default size of a ring and of a trace that a sender follows: a few seconds of
// calls, or less in a very busy program.
const ringSize = 64 << 20

// variables are the settings with a restricted syntax. requirement completes the message
// "NAME=value is ...".
var variables = []struct {
	name        string
	read        func(c *config, text string) bool
	requirement string
}{
	{"FUNCTRACE", (*config).readMode, "none of text, record, ring, otlp and off"},
	{"FUNCTRACE_FULL", (*config).readFull, "neither stop nor overwrite"},
	{"FUNCTRACE_MIN_DURATION", (*config).readMinDuration, "not a time such as 5us or 2ms"},
	{"FUNCTRACE_BUDGET", (*config).readBudget, "neither a share above 0% and up to 100%, such as 3% or 0.5%, nor off"},
	{"FUNCTRACE_CLOCK", (*config).readClock, "neither counter nor system"},
	{"FUNCTRACE_ERROR_TEXT", (*config).readErrorText, "neither fields nor call"},
	{"FUNCTRACE_DEPTH", (*config).readDepth, "not a number of levels"},
	{"FUNCTRACE_MAX_SIZE", (*config).readMaxSize, "not a size such as 500M or 2G"},
	{"FUNCTRACE_RING_KEEP", (*config).readRingKeep, "not a number of rings"},
	{"FUNCTRACE_RING_KEEP_SIZE", (*config).readRingKeepSize, "not a size such as 500M or 2G"},
	{"FUNCTRACE_PROPAGATE", (*config).readPropagate, "none of observe, forward, span and off"},
	{"FUNCTRACE_REQUEST_URLS", (*config).readRequestURLs, "neither shape nor full"},
	{"FUNCTRACE_INCLUDE", (*config).readInclude, notGlobs},
	{"FUNCTRACE_EXCLUDE", (*config).readExclude, notGlobs},
}

const notGlobs = "not a list of function names such as Get or store.*"

func (c *config) readMode(text string) bool {
	modes := map[string]mode{
		"text": modeText, "record": modeRecord, "ring": modeRing, "otlp": modeLive, "off": modeOff,
	}
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

func (c *config) readBudget(text string) bool {
	if text == "off" {
		c.budget = 0
		return true
	}
	number, isShare := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	c.budget = int(math.Round(percent * 1e4))
	isPlain := strings.Trim(number, "0123456789.") == ""
	return isShare && isPlain && err == nil && percent <= 100 && c.budget > 0
}

// completeBudget sets the default of the budget, for a value that may be empty. The budget counts what
// is in the trace, so it cannot limit the cost of calls that are measured and left out.
func (c *config) completeBudget(text string) error {
	isLimited := text != "" && text != "off"
	if isLimited && c.minDuration != 0 {
		return errors.New("FUNCTRACE_BUDGET=" + text + " cannot be combined with FUNCTRACE_MIN_DURATION; set one of them")
	}
	if text == "" && c.mode == modeRing && c.minDuration == 0 {
		c.budget = defaultBudget
	}
	return nil
}

const defaultBudget = 30_000 // 3%

func (c *config) readClock(text string) bool {
	c.systemClock = text == "system"
	return c.systemClock || text == "counter"
}

func (c *config) readErrorText(text string) bool {
	c.callsErrorMethod = text == "call"
	return c.callsErrorMethod || text == "fields"
}

func (c *config) readPropagate(text string) bool {
	values := map[string]propagation{
		"observe": observeHeaders, "forward": forwardHeaders, "span": spanHeaders, "off": ignoreRequests,
	}
	p, ok := values[text]
	c.propagate = p
	return ok
}

func (c *config) readRequestURLs(text string) bool {
	c.fullURLs = text == "full"
	return c.fullURLs || text == "shape"
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

func (c *config) readRingKeep(text string) bool {
	n, err := strconv.Atoi(text)
	c.keptRings = n
	return err == nil && n >= 0
}

func (c *config) readRingKeepSize(text string) (ok bool) {
	c.keptRingsSize, ok = parseSize(text)
	return ok
}

// parseSize parses a size in bytes, with an optional suffix K, M or G.
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

func (c *config) readInclude(text string) (ok bool) {
	c.include, ok = parseGlobs(text)
	return ok
}

func (c *config) readExclude(text string) (ok bool) {
	c.exclude, ok = parseGlobs(text)
	return ok
}

// isTraced reports whether the filters allow calls of the function with that full name.
func (c *config) isTraced(name string) bool {
	return (len(c.include) == 0 || matchesFunction(c.include, name)) && !matchesFunction(c.exclude, name)
}

// expand replaces %p in a path with the process id, and %% with a percent sign.
func expand(path string) string {
	pid := strconv.Itoa(os.Getpid())
	return strings.NewReplacer("%p", pid, "%%", "%").Replace(path)
}
