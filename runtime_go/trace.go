//go:build trace && go1.21

package functrace

import "sync/atomic"

// off is set while no call is to be traced: by the environment, or once the
// output has failed.
var off atomic.Bool

// Trace reports the entry of its caller and returns the function that reports
// its exit:
//
//	defer functrace.Trace()()
//
// It is never inlined, so its return address tells its caller, and it calls
// frame itself, which counts frames from there.
//
//go:noinline
func Trace() func() {
	if off.Load() {
		return nothing
	}
	if fast {
		g, id, pc := frame()
		return enter(trackOfG(g, id), pc)
	}
	return traceSlowly()
}

// traceSlowly is Trace by public interfaces alone.
//
//go:noinline
func traceSlowly() func() {
	return enter(trackOfID(goroutineID()), callerOfCaller())
}

func nothing() {}

//go:norace
func enter(t *track, pc uintptr) func() {
	f := functionAt(pc)
	if f.hidden {
		return nothing
	}
	t.reserve()
	t.calls = append(t.calls, f)
	printer.entered(t, f)
	return t.exit
}

// leave reports the exit of the innermost call. It must not recover: a panic on
// its way through belongs to the program.
//
//go:norace
func (t *track) leave() {
	calls := t.calls // read once: an exit function may be misused on another goroutine
	depth := len(calls)
	if depth == 0 {
		return // or be called twice
	}
	printer.left(t, calls[depth-1])
	t.calls = calls[:depth-1]
	if depth == 1 {
		t.rest()
	}
}
