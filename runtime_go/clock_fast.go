//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// Declarations of the functions in assembly, and the clocks they use.

import (
	"strings"
	_ "unsafe" // for go:linkname
)

// counter is set if the processor's counter is the clock.
var counter bool

// recordEntry records the entry of the function that its caller returns to, in the common case;
// else it does nothing and returns nil. Its caller must not be inlined. The entry time is now,
// or, if that is 0, read from the counter. In a call of a demoted function it records nothing and returns
// what stands in for the track.
func recordEntry(now uint64) *track

// recordExit records the exit of the innermost call of t in the common case; else it does nothing
// and returns false. The calls of a demoted function have nothing to record in the common case.
func recordExit(t *track, now uint64) bool

// usesSystemTicks is set if recordEntry and recordExit need the time as an argument.
var usesSystemTicks bool

// systemTicks returns the time argument of recordEntry and recordExit.
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

// panicArgument returns the interface value of the innermost panic, whose second word is at
// argOffset. It is one step, since the stack that contains the panic may move.
func panicArgument() [2]uintptr

// loadWord returns the word at an address.
func loadWord(address uintptr) uintptr

// countsEvenly reports whether the processor specifies a constant counter rate.
func countsEvenly() bool

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// ticks returns the current time of the trace's clock.
//
//go:norace
func ticks() uint64 {
	if counter {
		return readCounter()
	}
	return uint64(nanotime())
}

// panicValue returns the value of the innermost panic of this goroutine, nil if it is unknown.
//
//go:norace
func panicValue() (value any) {
	if argOffset != 0 {
		*wordsOfInterface(&value) = panicArgument()
	}
	return value
}

// hasCounter reports whether the processor's counter is reliable. It also asks Linux, which
// compares the counters of all cores and removes an unreliable one from this list.
func hasCounter() bool {
	clocks, err := readFile("/sys/devices/system/clocksource/clocksource0/available_clocksource")
	listed := err != nil || strings.Contains(clocks, "tsc") || strings.Contains(clocks, "arch_sys_counter")
	return fast && listed && countsEvenly()
}
