//go:build trace && go1.21

package functrace

import "sync"

// A track is what is known of one goroutine. Only that goroutine touches it, but
// for the fields by which it is found, and but for an exit function that somebody
// calls on another goroutine: mu, which costs a goroutine of its own little, keeps
// that from breaking anything.
//
// Whatever touches a track is marked go:norace and grows slices itself. A track
// passes from a goroutine that has ended to one that begins, together with its g:
// that is safe, but happens inside the Go runtime, where the race detector does
// not look.
type track struct {
	mu    sync.Mutex // held while the fields up to err are in use
	id    uint64
	calls []*function // the calls not yet left, innermost last
	line  []byte      // the line being printed, kept for the next one
	exit  func()      // leaves the innermost call; made once

	writeLine func(fd uintptr) // writes line; made once
	err       error            // what writeLine met

	place // by which the track is found, if not by its id

	// Room for what most goroutines need. It also makes tracks large enough to
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
	t.calls, t.line = t.firstCalls[:0], t.firstLine[:0]
	t.exit, t.writeLine = t.leave, t.writeTo
	return t
}

// reserve makes room for one more call.
//
//go:norace
func (t *track) reserve() {
	if len(t.calls) == cap(t.calls) {
		t.resize(2 * cap(t.calls))
	}
}

//go:norace
func (t *track) resize(size int) {
	calls := make([]*function, len(t.calls), size)
	//lint:ignore S1001 the race detector sees what copy does
	for i, f := range t.calls {
		calls[i] = f
	}
	t.calls = calls
}

// emptyLine returns room for a line of size bytes: the last line's, but for the
// race detector, which sees appending wherever it is done, and is shown memory
// that no other goroutine had.
//
//go:norace
func (t *track) emptyLine(size int) []byte {
	if raceDetector || cap(t.line) < size {
		t.line = make([]byte, 0, 2*size)
	}
	return t.line[:0]
}

// giveBack frees what only deeper calls than those now open needed. Waiting
// until they are an eighth makes it rare; waiting until none is open would be
// for ever in a goroutine whose outermost function serves until the program ends.
//
//go:norace
func (t *track) giveBack() {
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
	_      [40]byte // a cache line of its own
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
		t = newTrack(id, place{})
		s.tracks[id] = t
	}
	return t
}

func forget(t *track) {
	s := &trackShards[t.id%uint64(len(trackShards))]
	s.mu.Lock()
	if s.tracks[t.id] == t {
		delete(s.tracks, t.id)
	}
	s.mu.Unlock()
}
