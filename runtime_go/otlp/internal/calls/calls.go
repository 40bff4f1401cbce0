// Package calls turns the words of tracks into calls while the trace grows. The C engine does the
// same for functrace export; both follow docs/trace-format.md.
package calls

import (
	"sort"
	"sync"

	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/ids"
)

// A Call of a function. Times are ticks since the trace's start.
type Call struct {
	Track    *Track
	Caller   *Call // on the same track
	Function int32 // index
	Start    int64
	SpanID   ids.SpanID
	OwnTrace ids.TraceID // of the OpenTelemetry trace, if the call is its root

	HasEnded  bool
	End       int64
	Suspended int64 // ticks of its duration during which the track was suspended
	Failure

	Request *Request // that the call stands for; nil if it is none

	// Set by the observer.
	TraceID    ids.TraceID
	IsRoot     bool        // of an OpenTelemetry trace, or of this process's part of it
	Remote     *ids.SpanID // of a root: the parent that is no caller; nil if it has none
	Outer      *Call       // on another track, which is that parent
	IsSampled  bool        // its OpenTelemetry trace is sent
	IsSelected bool        // by the filters for errors and slow calls
	IsReported bool        // its end is known to the observer

	state           *functionState
	level           int   // number of open calls of this process around it on its track
	suspendedBefore int64 // ticks during which the track had been suspended when it began
	outer           *Call // the enclosing open call of the same function
	previous        *Call // the call of the same function that began before it
}

// A Failure describes how a call ended, if it did not return normally.
type Failure struct {
	IsError, IsPanic, IsGoexit, IsTextCut, IsUnfinished bool
	IsEndUnknown                                        bool // its exit was overwritten before it was read
	Text                                                string

	HasStatus bool
	Status    uint64 // the value of a request's status record
}

// isOpenAt reports whether the call, which began at that time or earlier, was still open then.
func (c *Call) isOpenAt(time int64) bool {
	return !c.HasEnded || c.End > time || c.IsUnfinished && c.End == time
}

// An Observer is notified of the calls of a track in order, of a caller before its callees. In a program
// with requests, the calls that have begun since the last time come first, in order over all tracks.
type Observer interface {
	Begin(*Call)
	End(*Call)
}

// Calls are the calls read so far.
type Calls struct {
	facts    *follow.Facts
	start    uint64 // of the trace, in ticks
	identity func() ids.Identity
	observer Observer
	tracks   map[uint64]*Track
	unlinked []*Track       // whose parents have not been found yet
	active   []*Track       // with unprocessed words
	starters map[int32]bool // functions that have started tracks
	idle     idleTracks
	history  history
	begun    []*Call // not reported yet
	ended    []*Call

	lost         *follow.Lost
	isIncomplete bool // words were overwritten before they were read
}

// New returns the calls of a followed file. It calls identity when the first track begins.
func New(file *follow.Follower, identity func() ids.Identity, observer Observer) *Calls {
	return &Calls{
		facts:    &file.Facts,
		start:    file.Header.Start,
		identity: sync.OnceValue(identity),
		observer: observer,
		tracks:   map[uint64]*Track{},
		starters: map[int32]bool{},
		lost:     &file.Lost,
	}
}

// Add queues new words; Advance processes them.
func (c *Calls) Add(pieces []follow.Piece) {
	for i := range pieces {
		piece := &pieces[i]
		t := c.tracks[piece.Track]
		if t == nil && piece.IsCut {
			continue
		}
		if t == nil {
			t = c.newTrack(piece)
		}
		t.describe(piece)
		if len(t.pieces) == 0 {
			c.active = append(c.active, t)
		}
		t.add(piece)
	}
}

// newTrack creates a track. Its record may be read later, or never.
func (c *Calls) newTrack(piece *follow.Piece) *Track {
	t := &Track{
		ID:    piece.Track,
		Start: piece.Earliest,
		calls: c,
		ids:   c.identity().Track(piece.Track),
	}
	c.tracks[t.ID] = t
	c.unlinked = append(c.unlinked, t)
	return t
}

// Advance processes the words up to a time; everything before that time must have been added.
// Tracks are processed in order of their starts, so that parents come before their children.
func (c *Calls) Advance(until int64) {
	c.isIncomplete = c.isIncomplete || c.lost.Events > 0
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
	c.report()
}

func (c *Calls) begin(call *Call) {
	c.begun = append(c.begun, call)
	if !c.facts.HasRequests {
		c.report()
	}
}

func (c *Calls) end(call *Call) {
	c.ended = append(c.ended, call)
	if !c.facts.HasRequests {
		c.report()
	}
}

// report notifies the observer. An outbound call may belong to an inbound call of any track, which must
// be known by then.
func (c *Calls) report() {
	if len(c.begun) > 1 {
		sort.SliceStable(c.begun, func(i, j int) bool { return c.begun[i].Start < c.begun[j].Start })
	}
	for _, call := range c.begun {
		c.observer.Begin(call)
	}
	for _, call := range c.ended {
		c.observer.End(call)
	}
	clear(c.begun)
	clear(c.ended)
	c.begun, c.ended = c.begun[:0], c.ended[:0]
}

// link registers new tracks with their parents. A parent that began after its child is ignored, so
// that no track is its own ancestor.
func (c *Calls) link() {
	sort.Slice(c.unlinked, func(i, j int) bool { return c.unlinked[i].isBefore(c.unlinked[j]) })
	kept := c.unlinked[:0]
	for _, t := range c.unlinked {
		parent := c.tracks[t.parentID]
		switch {
		case parent != nil && parent.isBefore(t):
			t.parent = parent
			parent.addChild(t)
		case parent == nil && (t.parentID != 0 || !t.isDescribed) && !t.isParentResolved:
			kept = append(kept, t) // the parent, or the track's record, may not have been read yet
		}
	}
	clear(c.unlinked[len(kept):])
	c.unlinked = kept
}

// Finish ends all open calls at the time of the trace's last event.
func (c *Calls) Finish(last int64) {
	all := make([]*Track, 0, len(c.tracks))
	for _, t := range c.tracks {
		all = append(all, t)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].isBefore(all[j]) })
	for _, t := range all {
		t.finish(last)
	}
	c.report()
}
