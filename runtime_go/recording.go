//go:build trace && go1.21

package functrace

import "sync/atomic"

// recording says that calls go to a trace file instead of being printed.
var recording bool

// recordsAll says that nothing is to be decided or found out before a call is recorded: then
// recordEntry and recordExit, in assembly, do what record and recordExit of a track do, but for
// whatever is out of the ordinary. Between the parts of a function in Go the processor would
// spend as much as in them.
//
//lint:ignore U1000 assembly reads it
var recordsAll bool

// minDuration, in ticks, keeps shorter calls out of the file.
var minDuration uint64

// What a track knows of its recording. The words are memory mapped from the trace
// file, so that what has been stored there survives the process. See
// docs/trace-format.md for what they mean.
type trackRecording struct {
	words []uint64     // of the chunk that is the track's alone
	used  int          // words
	limit atomic.Int64 // words that may be used before extend is to be called
	base  uint64       // ticks that the chunk's times count from
	depth int          // how many calls are open
	open  []openCall   // these, innermost last, and room for some more
	fails any          // the error that the call returns whose exit comes next, or its panic's value

	written int         // with minDuration: how many of the open calls are in the file
	panics  bool        // the last exit that was looked at closely was no return
	muted   bool        // functrace itself runs code of the program
	begun   bool        // the file knows the track
	growth  uint8       // the next chunk has smallestChunk<<growth bytes
	taken   atomic.Bool // the chunk has been given up for newer ones
	segment *segment    // that the chunk is in

	// Room for what most goroutines need. It also makes a track as large as some cache lines,
	// so that goroutines on other cores, which look at theirs, share none that this one writes.
	firstOpen [6]openCall
}

type openCall struct {
	entered  uint64 // ticks
	function uint64
}

// Kinds of words, and how they are put together.
const (
	entryWord  = 1
	exitWord   = 2
	recordWord = 3

	functionShift = 2
	timeShift     = 22
	maxFunctions  = 1<<(timeShift-functionShift) - 1
	maxSinceBase  = 1 << (64 - timeShift)
)

func (r *trackRecording) init() {
	r.open = r.firstOpen[:min(len(r.firstOpen), settings.depth)]
	r.growth = 0
}

// record puts the entry of a call into the file; it reports whether it has, or will.
//
//go:norace
func (t *track) record(f *function, now uint64) bool {
	if t.depth == len(t.open) && !t.growOpen() || t.muted {
		return false
	}
	if minDuration == 0 {
		t.put(now, f.number<<functionShift|entryWord)
	}
	t.open[t.depth] = openCall{now, f.number}
	t.depth++
	return true
}

// recordExit puts the exit of the innermost call into the file, and what there is to tell of
// it, and returns how many are left open.
//
//go:norace
func (t *track) recordExit(now uint64) int {
	g, _, panicking := state()
	if t.depth == 0 || !t.isOf(g) {
		return t.depth // an exit function called twice, or by another goroutine
	}
	c := t.open[t.depth-1]
	isShort := minDuration != 0 && t.written < t.depth && now-c.entered < minDuration
	if !isShort {
		t.putPending()
		t.panics = panicking != 0 && t.putPanic(now)
		if !t.panics && t.fails != nil {
			t.putReason(now, errorRecord)
		}
		t.put(now, c.function<<functionShift|exitWord)
	}
	t.fails = nil
	t.depth--
	t.written = min(t.written, t.depth)
	return t.depth
}

// isOf reports whether the track is this goroutine's, which has that g.
//
//go:norace
func (t *track) isOf(g uintptr) bool {
	if fast {
		return t.isAt(g)
	}
	return t.id == goroutineID()
}

// putPending writes the entries of all open calls that are not in the file yet.
//
//go:norace
func (t *track) putPending() {
	if minDuration == 0 {
		return
	}
	for ; t.written < t.depth; t.written++ {
		c := &t.open[t.written]
		t.put(c.entered, c.function<<functionShift|entryWord)
	}
}

// recorded returns the open calls that are in the file.
//
//go:norace
func (t *track) recorded() []openCall {
	if minDuration == 0 {
		return t.open[:t.depth]
	}
	return t.open[:t.written]
}

// put stores a word with its time.
//
//go:norace
func (t *track) put(now, word uint64) {
	fits := int64(t.used) < t.limit.Load() && now-t.base < maxSinceBase
	if fits || t.extend(now, 1) {
		t.words[t.used] = (now-t.base)<<timeShift | word
		t.used++
	}
}

// growOpen makes room for more open calls, if there may be more.
//
//go:norace
func (r *trackRecording) growOpen() bool {
	if r.depth == settings.depth {
		return false
	}
	open := make([]openCall, min(2*r.depth, settings.depth))
	//lint:ignore S1001 the race detector sees what copy does
	for i := range r.open {
		open[i] = r.open[i]
	}
	r.open = open
	return true
}

// restart begins anew for another goroutine, which goes on with the chunk.
//
//go:norace
func (r *trackRecording) restart() {
	r.begun, r.depth, r.written, r.fails = false, 0, 0, nil
	r.limit.Store(0)
	if len(r.open) > maxIdleCalls {
		r.open = r.firstOpen[:]
	}
}
