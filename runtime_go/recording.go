//go:build trace && go1.21

package functrace

// Recording of entries and exits of a track.

// recording is set if calls are recorded in a trace file instead of being printed.
var recording bool

// usesFastPath is set if every call is recorded without a further decision. The assembly
// functions recordEntry and recordExit then do the work of record and recordExit of a track,
// except in rare cases. In Go, the calls between the parts of a function would cost as much as
// the work.
//
//lint:ignore U1000 assembly reads it
var usesFastPath bool

// minDuration, in ticks: shorter calls are not recorded.
var minDuration uint64

// Recording state of a track. Its words are in the chunks of the threads that it runs on.
type trackRecording struct {
	writer       *writer    // of its latest word; noWriter if begin must precede the next
	depth        int        // number of open calls
	open         []openCall // the open calls, innermost last, and free entries
	pendingError any        // of the next exit: the error returned or the panic value

	written          int    // with minDuration: number of open calls that are in the file
	run              uint32 // the number of the track's latest run
	lastExitWasPanic bool   // the last exit on the slow path was not a return
	isMuted          bool   // functrace itself is running code of the program
	hasTrackRecord   bool   // the track record is in the file
	hasGap           bool   // a word was lost since the latest run: the next one lists the open calls
	listedAt         int64  // the position of the chunk with the latest list, or the track record
	origin           origin

	// Enough for most goroutines. It also makes a track a few cache lines long, so that tracks
	// used by other cores share no cache line with this one.
	firstOpen [6]openCall
}

// An origin is what the track record contains besides the track's id.
type origin struct {
	parent  uint64 // the id of the goroutine that started this one
	start   uint64 // ticks; 0 before the track's first word
	starter uint64 // the number of the function with the go statement
	line    int
}

type openCall struct {
	entered  uint64 // ticks
	function uint64
}

// Word kinds and the layout of entry and exit words.
const (
	entryWord  = 1
	exitWord   = 2
	recordWord = 3

	functionShift = 2
	timeShift     = 22
	maxFunctions  = 1<<(timeShift-functionShift) - 1
	maxSinceBase  = 1 << (64 - timeShift)
)

// init prepares a new track for recording.
func (r *trackRecording) init() {
	r.open = r.firstOpen[:min(len(r.firstOpen), settings.depth)]
	r.writer = &noWriter
}

// record records the entry of a call. It reports whether the exit has to be recorded too.
//
//go:norace
func (t *track) record(f *function, now uint64) bool {
	if t.depth == len(t.open) && !t.growOpen() || t.isMuted {
		return false
	}
	if minDuration == 0 && !t.put(now, f.number<<functionShift|entryWord) {
		return false
	}
	t.open[t.depth] = openCall{now, f.number}
	t.depth++
	return true
}

// recordExit records the exit of the innermost call, with its error or panic, and returns the
// number of calls still open.
//
//go:norace
func (t *track) recordExit(now uint64) int {
	g, _, panicking := state()
	if t.depth == 0 || !t.isOf(g) {
		return t.depth // an exit function called twice, or by another goroutine
	}
	c := t.open[t.depth-1]
	isShort := minDuration != 0 && t.written < t.depth && now-c.entered < minDuration
	if !isShort && t.putPending() {
		t.lastExitWasPanic = panicking != 0 && t.putPanic(now)
		if !t.lastExitWasPanic && t.pendingError != nil {
			t.putReason(now, errorRecord)
		}
		t.put(now, c.function<<functionShift|exitWord)
	}
	t.pendingError = nil
	t.depth--
	t.written = min(t.written, t.depth)
	return t.depth
}

// isOf reports whether the track belongs to the current goroutine, which has that g.
//
//go:norace
func (t *track) isOf(g uintptr) bool {
	if fast {
		return t.isAt(g)
	}
	return t.id == goroutineID()
}

// putPending records the entries of the open calls that are not in the file yet. It reports whether
// all are there.
//
//go:norace
func (t *track) putPending() bool {
	if minDuration == 0 {
		return true
	}
	for ; t.written < t.depth; t.written++ {
		c := &t.open[t.written]
		if !t.put(c.entered, c.function<<functionShift|entryWord) {
			return false
		}
	}
	return true
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

// put stores an entry or exit word with its time. It reports whether there is room.
//
//go:norace
func (t *track) put(now, word uint64) bool {
	w := t.begin(now, 1)
	if w == nil {
		return false
	}
	w.put((now-w.base)<<timeShift | word)
	unpin(w)
	return true
}

// growOpen makes room for more open calls, up to the maximum depth.
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

// restart resets the state for another goroutine.
//
//go:norace
func (r *trackRecording) restart() {
	r.hasTrackRecord, r.depth, r.written, r.pendingError = false, 0, 0, nil
	r.isMuted, r.lastExitWasPanic, r.hasGap = false, false, false
	r.writer, r.origin = &noWriter, origin{}
	if len(r.open) > maxIdleCalls {
		r.open = r.firstOpen[:]
	}
}
