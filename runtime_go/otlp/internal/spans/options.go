// Package spans encodes calls as spans of the OpenTelemetry protocol, exactly as functrace/export/otlp
// does for a recording.
package spans

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Options select the calls that are sent; by default all.
type Options struct {
	Roots         []string // globs of functions; their outermost calls are roots of OpenTelemetry traces
	Share         float64  // of OpenTelemetry traces, greater than 0 and at most 1
	Errors        bool     // send failed calls and their callers
	MinDurationNs int64    // send calls that lasted at least as long and their callers; -1: no limit
}

// hasFilter reports whether calls are selected one by one.
func (o *Options) hasFilter() bool { return o.Errors || o.MinDurationNs >= 0 }

// Parse reads the options from environment variables. An error names the variable.
func Parse(variable func(name string) string) (Options, error) {
	options := Options{Share: 1, MinDurationNs: -1}
	for _, each := range []struct {
		name  string
		parse func(text string) error
	}{
		{"FUNCTRACE_OTLP_ROOT", options.parseRoots},
		{"FUNCTRACE_OTLP_SAMPLE", options.parseShare},
		{"FUNCTRACE_OTLP_ERRORS", options.parseErrors},
		{"FUNCTRACE_OTLP_MIN_DURATION", options.parseMinDuration},
		{"FUNCTRACE_OTLP_SLOW", refuseSlow},
	} {
		text := variable(each.name)
		if text == "" {
			continue
		}
		if err := each.parse(text); err != nil {
			return Options{}, fmt.Errorf("%s=%s: %w", each.name, text, err)
		}
	}
	return options, nil
}

func (o *Options) parseRoots(text string) (err error) {
	o.Roots, err = parseGlobs(text)
	return err
}

func (o *Options) parseShare(text string) error {
	digits, isPercent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(digits, 64)
	if isPercent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) {
		return errors.New("must be a share greater than 0 and at most 1, such as 5% or 0.05")
	}
	o.Share = share
	return nil
}

func (o *Options) parseErrors(text string) error {
	if text != "0" && text != "1" {
		return errors.New("must be 0 or 1")
	}
	o.Errors = text == "1"
	return nil
}

var duration = regexp.MustCompile(`^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m)$`)

var units = map[string]float64{"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}

func refuseSlow(string) error {
	return errors.New("was renamed; use FUNCTRACE_OTLP_MIN_DURATION")
}

func (o *Options) parseMinDuration(text string) error {
	match := duration.FindStringSubmatch(text)
	if match == nil {
		return errors.New("must be a duration, such as 5us, 2ms or 1.5s")
	}
	number, err := strconv.ParseFloat(match[1], 64)
	ns := math.RoundToEven(number * units[match[2]])
	if err != nil || ns >= math.MaxInt64 {
		return errors.New("duration too long")
	}
	o.MinDurationNs = int64(ns)
	return nil
}
