// Package spans makes spans of calls, encoded as OpenTelemetry's protocol has them: the same ones
// as functrace/export/otlp does from a recording.
package spans

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Options say which calls become spans. Where none is excluded, all do.
type Options struct {
	Roots  []string // globs of the functions whose outermost calls begin an OpenTelemetry trace each
	Share  float64  // of OpenTelemetry traces that is sent, above 0 and at most 1
	Errors bool     // only calls that failed, and those above them
	Slow   int64    // only calls that took so many nanoseconds, and those above them; -1: any
}

// chooses reports whether calls are looked at one by one.
func (o *Options) chooses() bool { return o.Errors || o.Slow >= 0 }

// Parse reads the options from the environment. An error names the variable.
func Parse(variable func(name string) string) (Options, error) {
	options := Options{Share: 1, Slow: -1}
	for _, each := range []struct {
		name  string
		parse func(text string) error
	}{
		{"FUNCTRACE_OTLP_ROOT", options.parseRoots},
		{"FUNCTRACE_OTLP_SAMPLE", options.parseShare},
		{"FUNCTRACE_OTLP_ERRORS", options.parseErrors},
		{"FUNCTRACE_OTLP_SLOW", options.parseSlow},
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

func (o *Options) parseRoots(text string) error {
	for _, glob := range strings.Split(text, ",") {
		if glob = strings.TrimSpace(glob); glob != "" {
			o.Roots = append(o.Roots, glob)
		}
	}
	return nil
}

func (o *Options) parseShare(text string) error {
	digits, isPercent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(digits, 64)
	if isPercent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) {
		return errors.New("a share is above 0 and at most 1, such as 5% or 0.05")
	}
	o.Share = share
	return nil
}

func (o *Options) parseErrors(text string) error {
	if text != "0" && text != "1" {
		return errors.New("neither 1 nor 0")
	}
	o.Errors = text == "1"
	return nil
}

var duration = regexp.MustCompile(`^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m)$`)

var units = map[string]float64{"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}

func (o *Options) parseSlow(text string) error {
	match := duration.FindStringSubmatch(text)
	if match == nil {
		return errors.New("no time such as 5us, 2ms or 1.5s")
	}
	number, err := strconv.ParseFloat(match[1], 64)
	nanoseconds := math.RoundToEven(number * units[match[2]])
	if err != nil || nanoseconds >= math.MaxInt64 {
		return errors.New("too long")
	}
	o.Slow = int64(nanoseconds)
	return nil
}
