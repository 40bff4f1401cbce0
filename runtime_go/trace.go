//go:build trace && go1.21

package functrace

// Trace, Enter and Exit in a build with the tag trace.

import "sync/atomic"

// off is set while no calls are traced: FUNCTRACE=off, after Stop, or after an output error.
var off atomic.Bool

// Trace reports the entry of its caller and returns the function that reports
// its exit:
//
//	defer functrace.Trace()()
//
// It is never inlined, so that its return address identifies its caller.
//
//go:noinline
func Trace() func() {
	if off.Load() {
		return doNothing
	}
	t := recordEntry(systemTicks())
	if t == nil {
		t = enterCaller(false)
	}
	if t == nil {
		return doNothing
	}
	return t.exit
}

// doNothing is the exit function of calls that are not traced.
func doNothing() {}

// A Call identifies an entered call for Exit.
type Call struct{ track *track }

// Enter reports the entry of its caller, whose exit Exit reports:
//
//	defer functrace.Exit(functrace.Enter(), &err)
//
//go:noinline
func Enter() Call {
	if off.Load() {
		return Call{}
	}
	t := recordEntry(systemTicks())
	if t == nil {
		t = enterCaller(true)
	}
	return Call{t}
}

// Exit reports the exit of the call that Enter has returned, and the error that it
// returns. The pointer is not kept, so that the error need not be moved to the heap.
//
//go:norace
func Exit(c Call, err *error) {
	if c.track == nil {
		return
	}
	if *err != nil && recording {
		c.track.leaveWith(*err)
	} else if !recordExit(c.track, systemTicks()) {
		c.track.leave()
	}
}

// leaveWith reports the exit of the innermost call, which returns err.
//
//go:norace
func (t *track) leaveWith(err error) {
	if t.absent != nil {
		t.recordFailure(err)
		return
	}
	g, _, _ := state()
	if t.isOf(g) {
		t.pendingError = err
		t.leave()
	}
}

// enterCaller reports the entry of the function that called Trace or Enter, its only callers. It
// returns the track if the exit of the call has to be reported too, else nil. The exits of a function that returns
// an error report it.
//
//go:noinline
//go:norace
func enterCaller(returnsError bool) *track {
	var pc uintptr
	if fast {
		pc = callSite()
	} else {
		pc = callSiteByCallers()
	}
	disableRaceDetector()
	f := functionAt(pc)
	enableRaceDetector()
	if returnsError {
		f.returnsError = true
	}
	switch {
	case f.hidden:
		return nil
	case f.isDemoted():
		return f.absent.Load()
	}
	return enter(currentTrack(), f)
}

// currentTrack returns the track of this goroutine.
//
//go:norace
func currentTrack() *track {
	if fast {
		g, id, _ := state()
		return trackOfG(g, id)
	}
	return trackOfID(goroutineID())
}

// enter reports the entry of a function on the goroutine of t.
//
//go:norace
func enter(t *track, f *function) *track {
	disableRaceDetector()
	switch {
	case recording:
		if !t.record(f, ticks()) {
			t = nil
		}
	default:
		t.print(f)
	}
	enableRaceDetector()
	return t
}

// leave reports the exit of the innermost call if the assembly function recordExit did not. It
// must not recover: a panic that passes through it belongs to the program.
//
//go:norace
func (t *track) leave() {
	if t.absent != nil {
		t.leaveAbsent()
		return
	}
	disableRaceDetector()
	var open int
	if recording {
		open = t.recordExit(ticks())
	} else {
		open = t.printExit()
	}
	enableRaceDetector()
	if open == 0 && !fast {
		releaseTrack(t) // with the race detector enabled: it observes map accesses in any case
	}
}

// leaveMain reports the exit of the innermost call on the main goroutine. The return of main.main
// ends the program.
//
//go:norace
func (t *track) leaveMain() {
	ends := recording && t.depth == 1 && t.open[0].function == rec.main
	if !ends && recordExit(t, systemTicks()) {
		return
	}
	t.lastExitWasPanic = false
	t.leave()
	if ends && !t.lastExitWasPanic {
		rec.markEnded()
	}
}
