// Package calls makes calls of the words of tracks, as functrace/analysis does of a recording's, while
// the words come.
package calls

import (
	"sort"

	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/ids"
)

// A Call of a function. Times are ticks after the trace's start.
type Call struct {
	Track    *Track
	Above    *Call // on its track
	Function int32 // index
	Start    int64
	SpanID   ids.SpanID
	OwnTrace ids.TraceID // of the OpenTelemetry trace, if one begins with the call

	HasEnded bool
	End      int64
	Waited   int64 // of its duration, how long the track did
	Failure

	// What the observer makes of it.
	TraceID             ids.TraceID
	Begins, Kept, Taken bool

	state       *functionState
	level       int   // calls around it on its track
	waitedSoFar int64 // by the track when it began
	outer       *Call // the open call of the same function around it
	before      *Call // the call of the same function that began before it
}

// A Failure is how a call ended, if not as it should have.
type Failure struct {
	Error, Panic, Goexit, Cut, Unfinished bool
	Text                                  string
}

// isOpenAt reports whether the call, which began before or then, was open at that time.
func (c *Call) isOpenAt(time int64) bool {
	return !c.HasEnded || c.End > time || c.Unfinished && c.End == time
}

// An Observer is told of calls: those of a track in their order, each call before those in it.
type Observer interface {
	Begin(*Call)
	End(*Call)
}

// Calls of a trace, so far.
type Calls struct {
	facts    *follow.Facts
	start    uint64 // of the trace, in ticks
	identity func() ids.Identity
	observer Observer
	tracks   map[uint64]*Track
	fresh    []*Track // whose parents have not been looked for
	active   []*Track // with words that are to be gone through
	idle     idle
	recent   recent
}

// New returns the calls of a file that is followed, of which an observer is told. The identity is
// asked for when the first track begins.
func New(file *follow.Follower, identity func() ids.Identity, observer Observer) *Calls {
	return &Calls{
		facts:    &file.Facts,
		start:    file.Header.Start,
		identity: identity,
		observer: observer,
		tracks:   map[uint64]*Track{},
	}
}

// Add takes words that are new.
func (c *Calls) Add(pieces []follow.Piece) {
	for i := range pieces {
		piece := &pieces[i]
		t := c.tracks[piece.Track]
		if t == nil {
			t = c.begin(piece)
		}
		t.describe(piece)
		if len(t.pieces) == 0 {
			c.active = append(c.active, t)
		}
		t.pieces = append(t.pieces, pending{Piece: *piece})
	}
}

// begin makes a track. What its record says may come later, or never.
func (c *Calls) begin(piece *follow.Piece) *Track {
	t := &Track{
		ID:    piece.Track,
		Start: piece.First,
		calls: c,
		ids:   c.identity().Track(piece.Track),
	}
	c.tracks[t.ID] = t
	c.fresh = append(c.fresh, t)
	return t
}

// Advance goes through the words up to a time, when all that was done until then has been added.
// A track comes after that which started it, so that it is known where it goes on.
func (c *Calls) Advance(until int64) {
	c.link()
	sort.Slice(c.active, func(i, j int) bool { return c.active[i].isBefore(c.active[j]) })
	kept := c.active[:0]
	for _, t := range c.active {
		if t.run(until) {
			kept = append(kept, t)
		}
	}
	clear(c.active[len(kept):])
	c.active = kept
}

// link tells parents of their children. One that began after its child is not believed, so
// nothing is its own ancestor.
func (c *Calls) link() {
	sort.Slice(c.fresh, func(i, j int) bool { return c.fresh[i].isBefore(c.fresh[j]) })
	unknown := c.fresh[:0]
	for _, t := range c.fresh {
		parent := c.tracks[t.parentID]
		switch {
		case parent != nil && parent.isBefore(t):
			t.parent = parent
			parent.addChild(t)
		case parent == nil && t.parentID != 0 && !t.isSettled:
			unknown = append(unknown, t) // it may be in what has not been read yet
		}
	}
	clear(c.fresh[len(unknown):])
	c.fresh = unknown
}

// Finish ends all calls that are open: nothing came after that time. The tracks come in their order.
func (c *Calls) Finish(last int64) {
	all := make([]*Track, 0, len(c.tracks))
	for _, t := range c.tracks {
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].isBefore(all[j]) })
	for _, t := range all {
		t.finish(last)
	}
}
