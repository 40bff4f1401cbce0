//go:build trace && unix && !functrace_safe && (amd64 || arm64)

package functrace

import (
	"errors"
	"runtime"
	"unsafe"
)

// A Vector is the input of a recorder: functions, origins of tracks, and events.
type Vector struct {
	Functions    [][3]any // name, file, line
	Origins      map[uint64]Origin
	Events       []VectorEvent
	EndedCleanly bool
}

// An Origin is that of a track.
type Origin struct {
	Parent  uint64
	Starter string
	Line    int
}

// A VectorEvent is an entry, or an exit with what there is to tell of it.
type VectorEvent struct {
	Track, Ticks      uint64
	Exit              bool
	Function          string
	How, ErrorOrPanic string // "error", "panic", "goexit" or ""; a text
}

// WriteVector makes the recorder write the vector, at the times of the vector.
func WriteVector(path string, v Vector) error {
	startTicks, startWall, ticksPerSecond = 1000, 1_700_000_000e9, 1e9
	if err := rec.open(&config{out: path, maxSize: 1 << 30}); err != nil {
		return err
	}
	recording = true
	defer func() { recording = false; forgetTrace() }()
	known := map[string]*function{"": {}}
	for _, f := range v.Functions {
		name := f[0].(string)
		known[name] = &function{name: name, file: f[1].(string)}
		known[name].number = rec.putFunction(known[name], int(f[2].(float64)))
	}
	tracks := map[uint64]*track{}
	for _, e := range v.Events {
		t := tracks[e.Track]
		if t == nil {
			t = newTrack(e.Track, trackLink{})
			tracks[e.Track] = t
			origin := v.Origins[e.Track]
			descriptor := newDescriptor(origin.Parent, known[origin.Starter].number, origin.Line)
			t.g = uintptr(unsafe.Pointer(descriptor))
			defer runtime.KeepAlive(descriptor)
		}
		if e.Exit {
			t.leaveAs(e)
		} else if !t.record(known[e.Function], e.Ticks) {
			return errors.New("a call is not recorded")
		}
	}
	if v.EndedCleanly {
		rec.markEnded()
	}
	return nil
}

// forgetTrace makes the recorder as it was before the trace was opened.
func forgetTrace() {
	rec, writers = recorder{}, nil
	for i := range writersByThread {
		writersByThread[i].Store(nil)
	}
}

// newDescriptor returns a g in which there is what origin looks for.
func newDescriptor(parent, starter uint64, line int) *[64]uintptr {
	g := new([64]uintptr)
	if parent != 0 {
		pc := uintptr(unsafe.Pointer(g))
		functions.Load().put(&function{pc: pc, number: starter, line: line})
		g[parentOffset/8], g[parentOffset/8+1] = uintptr(parent), pc
	}
	return g
}

// leaveAs records an exit by return, panic or Goexit.
func (t *track) leaveAs(e VectorEvent) {
	leave := func() {
		t.g, _, _ = state()
		t.recordExit(e.Ticks)
	}
	onNewGoroutine(func() (done bool) {
		switch e.How {
		case "panic":
			defer func() { recover() }()
			defer leave()
			panic(errors.New(e.ErrorOrPanic))
		case "error":
			t.pendingError = errors.New(e.ErrorOrPanic)
		case "goexit":
			return <-goexit(leave)
		}
		leave()
		return true
	})
}

// goexit has f run while a goroutine ends.
func goexit(f func()) <-chan bool {
	ended := make(chan bool)
	go func() {
		defer close(ended)
		defer f()
		runtime.Goexit()
	}()
	return ended
}
