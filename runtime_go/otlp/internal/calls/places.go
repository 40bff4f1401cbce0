package calls

import (
	"math"
	"sort"
)

const never = math.MaxInt64

// addChild notes a track that this one started, in the order of their beginnings.
func (t *Track) addChild(child *Track) {
	at := sort.Search(len(t.children), func(i int) bool { return child.isBefore(t.children[i]) })
	t.children = append(t.children, nil)
	copy(t.children[at+1:], t.children[at:])
	t.children[at] = child
}

// placeChildren has those that began before a time go on in what this track had done by then.
func (t *Track) placeChildren(before int64) {
	for len(t.children) > 0 && t.children[0].Start < before {
		child := t.children[0]
		t.children = t.children[1:]
		origin := t.originAt(child.Start, t.calls.facts.Index(child.starter))
		if origin == nil {
			t.settlePlace()
			origin = t.Origin // its chain goes on where this one's does
		}
		if origin != nil {
			child.setOrigin(origin)
		}
	}
}

// settlePlace: the track begins, its parent has to say where it goes on.
func (t *Track) settlePlace() {
	if t.isSettled {
		return
	}
	t.isSettled = true
	if t.parent != nil {
		t.parent.placeChildren(t.Start + 1)
		t.parent = nil
	}
}

// originAt returns the call in which a track goes on that began at that time: of the function that
// started it the innermost that was open then, else the last, else the innermost of any. Where
// the time has long passed, as a task may begin long after it was made, it is the best of what
// is still remembered.
func (t *Track) originAt(time int64, starter int32) *Call {
	if state := t.functions[starter]; state != nil {
		last := state.last
		for last != nil && last.Start > time {
			last = last.before
		}
		// What was open around a call that had ended is above it.
		for c := last; c != nil; c = c.Above {
			if c.Function == starter && c.isOpenAt(time) {
				return c
			}
		}
		if last != nil {
			return last
		}
	}
	for i := len(t.open) - 1; i >= 0; i-- {
		if t.open[i].Start <= time {
			return t.open[i]
		}
	}
	return nil
}

// Chains that go through more tracks than this are cut above: each keeps the one above in memory,
// and a program that goes on in a new goroutine again and again never ends.
const generations = 1024

func (t *Track) setOrigin(origin *Call) {
	t.Origin = origin
	t.generation = origin.Track.generation + 1
	if t.generation < generations {
		return
	}
	t.generation /= 2
	above := t
	for i := t.generation; i > 0 && above.Origin != nil; i-- {
		above = above.Origin.Track
	}
	above.Origin = nil
}

// A ring of the calls that ended last. What is older is forgotten but for the last call of each function.
type recent struct {
	calls [1 << 14]*Call
	next  int
}

func (r *recent) add(c *Call) {
	if old := r.calls[r.next]; old != nil {
		old.before = nil
	}
	r.calls[r.next] = c
	r.next = (r.next + 1) % len(r.calls)
}

// Tracks in which no call is open. A program may have had millions of them; those that were the last
// to do something are remembered, as they may go on, and of the very last also their calls, in
// which tracks may go on that have yet to begin.
type idle struct {
	queue []idleTrack
	turn  int
}

type idleTrack struct {
	track *Track
	since int
}

func (i idleTrack) isStill() bool { return i.track.idleSince == i.since }

const (
	idleTracks = 1 << 14
	idleCalls  = 1 << 10
)

// add returns the tracks that have been idle for longest, where there are too many.
func (i *idle) add(t *Track) (oldest []*Track) {
	i.turn++
	t.idleSince = i.turn
	i.queue = append(i.queue, idleTrack{t, i.turn})
	if at := len(i.queue) - 1 - idleCalls; at >= 0 && i.queue[at].isStill() {
		i.queue[at].track.forgetCalls()
	}
	if len(i.queue) == 2*idleTracks {
		oldest = i.compact()
	}
	return oldest
}

// compact drops what is idle no longer, and what is too much of the rest.
func (i *idle) compact() (oldest []*Track) {
	kept := i.queue[:0]
	for _, each := range i.queue {
		if each.isStill() {
			kept = append(kept, each)
		}
	}
	more := max(len(kept)-idleTracks, 0)
	for _, each := range kept[:more] {
		oldest = append(oldest, each.track)
	}
	kept = append(kept[:0], kept[more:]...)
	for at := 0; at < len(kept)-idleCalls; at++ {
		kept[at].track.forgetCalls()
	}
	clear(i.queue[len(kept):])
	i.queue = kept
	return oldest
}

func (t *Track) forgetCalls() {
	t.functions, t.open = nil, nil
}

func (c *Calls) forget(tracks []*Track) {
	for _, t := range tracks {
		delete(c.tracks, t.ID)
	}
}
