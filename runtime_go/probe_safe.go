//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

import (
	"runtime"
	"strconv"
	"strings"
)

// No fast way to goroutine and caller: not on this architecture, or not wanted.
const fast = false

// state cannot tell whether there is a panic, so it says that there may be one.
func state() (gp uintptr, id uint64, panicking uintptr) { return 0, 0, 1 }

func callSite() uintptr { return 0 }

type place struct{}

func (*place) isAt(uintptr) bool { return false }

func trackOfG(uintptr, uint64) *track { return nil }

func initProbe() {}

// origin reads what the trace of a stack ends with: "created by main.serve in goroutine 7",
// and the place in the next line.
func (t *track) origin() (parent, starter uint64, line int) {
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

// numberOf returns the number of a function that has been seen, else 0.
func (t functionTable) numberOf(name string) uint64 {
	for i := range t {
		if f := t[i].Load(); f != nil && f.name == name {
			return f.number
		}
	}
	return 0
}
