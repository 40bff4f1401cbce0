//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import (
	"strings"
	_ "unsafe" // for go:linkname
)

// counter says that the processor's counter is the clock.
var counter bool

// recordEntry records the entry of the call of the function that its caller returns to, in the
// ordinary case; else it does nothing and returns nil. Its caller must not be inlined. It
// happens now, or where that is 0, when the counter is read.
func recordEntry(now uint64) *track

// recordExit records the exit of the innermost call of t in the ordinary case; else it does
// nothing and returns false.
func recordExit(t *track, now uint64) bool

// asksSystem says that recordEntry and recordExit are to be told the time.
var usesSystemTicks bool

// systemTicks returns what they are to be told.
//
//go:norace
func systemTicks() uint64 {
	if !usesSystemTicks {
		return 0
	}
	return uint64(nanotime())
}

// readCounter reads the processor's counter.
func readCounter() uint64

// panicArgument returns the words of the interface value argOffset bytes into what stands
// at panicOffset. It is one step, since the stack that a panic lies on may move.
func panicArgument() [2]uintptr

// loadWord returns the word at an address.
func loadWord(address uintptr) uintptr

// countsEvenly reports whether the processor says that its counter counts at one rate
// whatever else it does.
func countsEvenly() bool

//go:linkname nanotime runtime.nanotime
func nanotime() int64

//go:norace
func ticks() uint64 {
	if counter {
		return readCounter()
	}
	return uint64(nanotime())
}

// panicValue returns what the innermost panic of this goroutine is about, nil if that is not known.
//
//go:norace
func panicValue() (value any) {
	if argOffset != 0 {
		*wordsOfInterface(&value) = panicArgument()
	}
	return value
}

// hasCounter asks the processor, and Linux, which watches the counter on all cores and drops
// it from this list when they disagree.
func hasCounter() bool {
	clocks, err := readFile("/sys/devices/system/clocksource/clocksource0/available_clocksource")
	listed := err != nil || strings.Contains(clocks, "tsc") || strings.Contains(clocks, "arch_sys_counter")
	return fast && listed && countsEvenly()
}
