//go:build trace && go1.21

package functrace

import "sync"

// A track is what is known of one goroutine. Only that goroutine touches it, but
// for the fields by which it is found, and but for an exit function that somebody
// calls on another goroutine. That breaks nothing: printing is locked, which costs
// a goroutine of its own little, and recording looks who calls.
//
// Whatever touches a track is marked go:norace and grows slices itself. A track
// passes from a goroutine that has ended to one that begins, together with its g:
// that is safe, but happens inside the Go runtime, where the race detector does
// not look.
type track struct {
	id    uint64
	exit  func() // leaves the innermost call; made once
	place        // by which the track is found, if not by its id
	trackRecording
	*trackPrinting // none while recording
}

// What a track knows for printing. It is locked while in use.
type trackPrinting struct {
	mu    sync.Mutex
	calls []*function // the calls not yet left, innermost last
	line  []byte      // the line being printed, kept for the next one

	output    *output          // that writeLine writes to
	writeLine func(fd uintptr) // writes line; made once
	err       error            // what writeLine met

	// Room for what most goroutines need. It also makes these large enough to
	// share no cache line, which would slow goroutines on other cores.
	firstCalls [8]*function
	firstLine  [80]byte
}

// Up to these sizes a track keeps its memory, whatever its goroutine does.
const (
	maxIdleCalls = 64
	maxIdleLine  = 1 << 10
)

func newTrack(id uint64, at place) *track {
	t := &track{id: id, place: at}
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

//go:norace
func (t *trackPrinting) resize(size int) {
	calls := make([]*function, len(t.calls), size)
	//lint:ignore S1001 the race detector sees what copy does
	for i, f := range t.calls {
		calls[i] = f
	}
	t.calls = calls
}

// emptyLine returns room for a line of size bytes: the last line's, if that is enough.
//
//go:norace
func (t *trackPrinting) emptyLine(size int) []byte {
	if cap(t.line) < size {
		t.line = make([]byte, 0, 2*size)
	}
	return t.line[:0]
}

// giveBack frees what only deeper calls than those now open needed. Waiting
// until they are an eighth makes it rare; waiting until none is open would be
// for ever in a goroutine whose outermost function serves until the program ends.
//
//go:norace
func (t *trackPrinting) giveBack() {
	depth := len(t.calls)
	if cap(t.calls) > maxIdleCalls && depth < cap(t.calls)/8 {
		t.resize(cap(t.calls) / 4)
	}
	if cap(t.line) > maxIdleLine && len(t.line) < cap(t.line)/8 {
		t.line = t.firstLine[:0]
	}
}

// Tracks by goroutine id, for want of anything faster to find them by. A track
// whose goroutine rests is forgotten, so that their number stays that of the
// goroutines in traced calls.
type trackShard struct {
	mu     sync.Mutex
	tracks map[uint64]*track
	idle   []*track // forgotten ones, whose chunks others may go on with
	_      [24]byte // a cache line of its own
}

var trackShards [64]trackShard

func trackOfID(id uint64) *track {
	s := &trackShards[id%uint64(len(trackShards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tracks[id]
	if t == nil {
		if s.tracks == nil {
			s.tracks = make(map[uint64]*track)
		}
		t = s.fresh(id)
		s.tracks[id] = t
	}
	return t
}

// fresh returns a track for the goroutine with that id. The shard is locked.
func (s *trackShard) fresh(id uint64) *track {
	n := len(s.idle)
	if n == 0 || id == 1 {
		return newTrack(id, place{})
	}
	t := s.idle[n-1]
	s.idle = s.idle[:n-1]
	t.id = id
	t.restart()
	return t
}

func forget(t *track) {
	s := &trackShards[t.id%uint64(len(trackShards))]
	s.mu.Lock()
	if s.tracks[t.id] == t {
		delete(s.tracks, t.id)
		if recording && t.id != 1 {
			s.idle = append(s.idle, t)
		}
	}
	s.mu.Unlock()
}
