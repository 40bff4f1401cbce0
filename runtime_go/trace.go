//go:build trace && go1.21

package functrace

import "sync/atomic"

// off is set while no call is to be traced: by the environment, by Stop, or once
// the output has failed.
var off atomic.Bool

// Trace reports the entry of its caller and returns the function that reports
// its exit:
//
//	defer functrace.Trace()()
//
// It is never inlined, so its return address tells its caller.
//
//go:noinline
func Trace() func() {
	if off.Load() {
		return nothing
	}
	t := recordEntry(systemTicks())
	if t == nil {
		t = enterCaller()
	}
	if t == nil {
		return nothing
	}
	return t.exit
}

func nothing() {}

// A Call is one that has been entered.
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
		t = enterCaller()
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
		c.track.fails = *err
	}
	if !recordExit(c.track, systemTicks()) {
		c.track.leave()
	}
}

// enterCaller reports the entry of the caller of Trace or Enter, which alone call it. It
// returns the track if the call's exit is to be reported as well, else nil.
//
//go:noinline
//go:norace
func enterCaller() *track {
	if fast {
		g, id, _ := state()
		return enter(trackOfG(g, id), callSite())
	}
	return enter(trackOfID(goroutineID()), callSiteByCallers())
}

// enter is enterCaller for the goroutine with that track, and the function that pc lies in.
//
//go:norace
func enter(t *track, pc uintptr) *track {
	hideFromRaceDetector()
	f := functionAt(pc)
	switch {
	case f.hidden:
		t = nil
	case recording:
		if !t.record(f, ticks()) {
			t = nil
		}
	default:
		t.print(f)
	}
	showToRaceDetector()
	return t
}

// leave reports the exit of the innermost call where recordExit, in assembly, has not. It
// must not recover: a panic on its way through belongs to the program.
//
//go:norace
func (t *track) leave() {
	hideFromRaceDetector()
	var open int
	if recording {
		open = t.recordExit(ticks())
	} else {
		open = t.printExit()
	}
	showToRaceDetector()
	if open == 0 && !fast {
		forget(t) // in sight of the race detector, which sees into maps anyway
	}
}

// leaveMain reports the exit of the innermost call on the first goroutine, whose return from
// main.main ends the program.
//
//go:norace
func (t *track) leaveMain() {
	ends := recording && t.depth == 1 && t.open[0].function == rec.main
	if !ends && recordExit(t, systemTicks()) {
		return
	}
	t.panics = false
	t.leave()
	if ends && !t.panics {
		rec.ended()
	}
}
