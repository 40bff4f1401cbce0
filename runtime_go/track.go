//go:build trace && go1.21

package functrace

import "sync"

// A track is the state of one goroutine. Only that goroutine uses it, except for the fields by
// which it is found and for an exit function that is called on another goroutine. Such a call is
// harmless: printing takes a lock, which costs little while uncontended, and recording checks
// which goroutine calls.
// Every function that uses a track is marked go:norace and grows slices itself. A track passes
// from a goroutine that has ended to a new one, together with its g: that is safe, but happens
// inside the Go runtime, where the race detector does not observe it.
type track struct {
	id        uint64
	absent    *function // the demoted function in whose calls this stands in for a track
	exit      func()    // reports the exit of the innermost call; allocated once
	trackLink           // finds the track by g, unless it is found by its id
	trackRecording
	*trackPrinting // nil while recording
}

// Printing state of a track. It is locked while in use.
type trackPrinting struct {
	mu    sync.Mutex
	calls []*function // open calls, innermost last
	line  []byte      // the line being printed, reused for the next one

	output    *output          // target of writeLine
	writeLine func(fd uintptr) // writes line; allocated once
	err       error            // the error of writeLine

	// Enough for most goroutines. It also makes the structure large enough to share no cache line
	// with others, which would slow goroutines on other cores.
	firstCalls [8]*function
	firstLine  [80]byte
}

// A track keeps its memory up to these sizes.
const (
	maxIdleCalls = 64
	maxIdleLine  = 1 << 10
)

// newTrack returns a track for the goroutine with that id.
func newTrack(id uint64, at trackLink) *track {
	t := &track{id: id, trackLink: at}
	t.exit = func() {
		if !recordExit(t, systemTicks()) {
			t.leave()
		}
	}
	if id == 1 {
		t.exit = t.leaveMain
	}
	if recording {
		t.trackRecording.init()
	} else {
		t.trackPrinting = newPrinting()
	}
	return t
}

func newPrinting() *trackPrinting {
	p := &trackPrinting{}
	p.calls, p.line = p.firstCalls[:0], p.firstLine[:0]
	p.writeLine = p.writeTo
	return p
}

// reserve makes room for one more call.
//
//go:norace
func (t *trackPrinting) reserve() {
	if len(t.calls) == cap(t.calls) {
		t.resize(2 * cap(t.calls))
	}
}

// resize moves the open calls to a slice of that capacity.
//
//go:norace
func (t *trackPrinting) resize(size int) {
	calls := make([]*function, len(t.calls), size)
	//lint:ignore S1001 the race detector sees what copy does
	for i, f := range t.calls {
		calls[i] = f
	}
	t.calls = calls
}

// emptyLine returns an empty line with room for size bytes, in the memory of the last line if
// possible.
//
//go:norace
func (t *trackPrinting) emptyLine(size int) []byte {
	if cap(t.line) < size {
		t.line = make([]byte, 0, 2*size)
	}
	return t.line[:0]
}

// shrink frees memory that only deeper calls needed. It waits until an eighth is in use, which
// makes it rare; it cannot wait until no call is open, which never happens in a goroutine whose
// outermost function runs until the program ends.
//
//go:norace
func (t *trackPrinting) shrink() {
	depth := len(t.calls)
	if cap(t.calls) > maxIdleCalls && depth < cap(t.calls)/8 {
		t.resize(cap(t.calls) / 4)
	}
	if cap(t.line) > maxIdleLine && len(t.line) < cap(t.line)/8 {
		t.line = t.firstLine[:0]
	}
}

// Tracks by goroutine id, used where g is not available. A track without open calls is removed,
// which bounds their number by that of the goroutines in traced calls.
type trackShard struct {
	mu     sync.Mutex
	tracks map[uint64]*track
	idle   map[uint64]*track // removed tracks, for other goroutines
	maxID  uint64            // of all goroutines that had a track
	_      [32]byte          // a cache line of its own
}

var trackShards [64]trackShard

// trackOfID returns the track of the goroutine with that id.
func trackOfID(id uint64) *track {
	s := &trackShards[id%uint64(len(trackShards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tracks[id]
	if t == nil {
		if s.tracks == nil {
			s.tracks, s.idle = make(map[uint64]*track), make(map[uint64]*track)
		}
		t = s.newOrIdleTrack(id)
		s.tracks[id] = t
	}
	return t
}

// newOrIdleTrack returns a track for the goroutine with that id. The shard must be locked.
//
// A goroutine that had a track before continues that one, if no other goroutine has it.
func (s *trackShard) newOrIdleTrack(id uint64) *track {
	if t := s.idle[id]; t != nil {
		delete(s.idle, id)
		return t
	}
	if id > s.maxID && id != 1 { // the main goroutine has an exit function of its own
		s.maxID = id
		for before, t := range s.idle {
			delete(s.idle, before)
			t.id = id
			t.restart()
			return t
		}
	}
	return newTrack(id, trackLink{})
}

// releaseTrack removes a track without open calls from its shard. The main goroutine's remains.
func releaseTrack(t *track) {
	s := &trackShards[t.id%uint64(len(trackShards))]
	s.mu.Lock()
	if s.tracks[t.id] == t && t.id != 1 {
		delete(s.tracks, t.id)
		if recording {
			s.idle[t.id] = t
		}
	}
	s.mu.Unlock()
}
