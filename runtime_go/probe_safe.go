//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

// Replacements for the fast probe that use only public interfaces of the Go runtime.

import (
	"runtime"
	"strconv"
	"strings"
)

// fast is false on architectures without assembly and with the tag functrace_safe.
const fast = false

// state cannot detect a panic, so it always reports a possible one.
func state() (gp uintptr, id uint64, panicking uintptr) { return 0, 0, 1 }

func findsPanics() bool { return false }

func callSite() uintptr { return 0 }

type trackLink struct{}

func (*trackLink) isAt(uintptr) bool { return false }

func trackOfG(uintptr, uint64) *track { return nil }

func initProbe() {}

// parentage returns the parent goroutine, the function whose go statement started this goroutine,
// and the line. It parses the end of a stack trace: "created by main.serve in goroutine 7", and
// the location in the next line.
func (t *track) parentage() (parent, starter uint64, line int) {
	var short [2 << 10]byte
	text := string(short[:runtime.Stack(short[:], false)])
	if len(text) == len(short) {
		long := make([]byte, 64<<10)
		text = string(long[:runtime.Stack(long, false)])
	}
	_, text, found := strings.Cut(text, "\ncreated by ")
	if !found {
		return 0, 0, 0
	}
	name, text, _ := strings.Cut(text, " in goroutine ")
	id, text, _ := strings.Cut(text, "\n")
	parent, _ = strconv.ParseUint(id, 10, 64)
	place, _, _ := strings.Cut(text, " ")
	line, _ = strconv.Atoi(place[strings.LastIndexByte(place, ':')+1:])
	return parent, functions.Load().numberOf(name), line
}

// numberOf returns the number of a function that has been called, else 0.
func (t functionTable) numberOf(name string) uint64 {
	for i := range t {
		if f := t[i].Load(); f != nil && f.name == name {
			return f.number
		}
	}
	return 0
}
