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
	hideFromRaceDetector()
	exit := t.enter(functionAt(pc))
	showToRaceDetector()
	return exit
}

//go:norace
func (t *track) enter(f *function) func() {
	if f.hidden {
		return nothing
	}
	t.mu.Lock()
	t.reserve()
	t.calls = append(t.calls, f)
	printer.entered(t, f)
	t.mu.Unlock()
	return t.exit
}

// leave reports the exit of the innermost call. It must not recover: a panic on
// its way through belongs to the program.
//
//go:norace
func (t *track) leave() {
	hideFromRaceDetector()
	open := t.pop()
	showToRaceDetector()
	if open == 0 && !fast {
		forget(t) // in sight of the race detector, which sees into maps anyway
	}
}

// pop returns how many calls are left open.
//
//go:norace
func (t *track) pop() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	depth := len(t.calls)
	if depth == 0 {
		return 0 // an exit function called twice
	}
	printer.left(t, t.calls[depth-1])
	t.calls = t.calls[:depth-1]
	t.giveBack()
	return depth - 1
}
