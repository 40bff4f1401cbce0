package calls

import (
	"math"
	"sort"
)

const never = math.MaxInt64

// addChild registers a track that this one started, ordered by start.
func (t *Track) addChild(child *Track) {
	at := sort.Search(len(t.children), func(i int) bool { return child.isBefore(t.children[i]) })
	t.children = append(t.children, nil)
	copy(t.children[at+1:], t.children[at:])
	t.children[at] = child
}

// resolveChildren finds the parent call of each child track that began before a time.
func (t *Track) resolveChildren(before int64) {
	for len(t.children) > 0 && t.children[0].Start < before {
		child := t.children[0]
		t.children = t.children[1:]
		parent := t.parentCallAt(child.Start, t.calls.facts.Index(child.starter))
		if parent == nil {
			t.resolveParent()
			parent = t.Parent
		}
		if parent != nil {
			child.setParent(parent)
		}
	}
}

// resolveParent finds the track's parent call, at the latest when its first call begins.
func (t *Track) resolveParent() {
	if t.isParentResolved {
		return
	}
	t.isParentResolved = true
	if t.parent != nil {
		t.parent.resolveChildren(t.Start + 1)
		t.parent = nil
	}
}

// parentCallAt returns the call that a track started at that time is parented to: the innermost open
// call of its starter, else the starter's last call, else the innermost open call. Long after that
// time, as with a task that first runs long after it was created, only the calls still in the
// history are considered.
func (t *Track) parentCallAt(time int64, starter int32) *Call {
	if state := t.functions[starter]; state != nil {
		last := state.last
		for last != nil && last.Start > time {
			last = last.previous
		}
		// An open call that encloses one that has ended is among its callers.
		for c := last; c != nil; c = c.Caller {
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

// Limits that keep the sender's memory bounded; functrace's Python sender has the same.
const (
	maxHistory   = 100_000 // ended calls that a track may still be parented to
	maxIdle      = 20_000  // tracks without open calls
	minAncestors = 256     // tracks above a call that are kept
)

// setParent sets the parent call. The chain of ancestors is cut above minAncestors tracks when it
// reaches twice as many: a program may start each goroutine from the one before forever.
func (t *Track) setParent(parent *Call) {
	t.Parent = parent
	t.ancestors = parent.Track.ancestors + 1
	if t.ancestors < 2*minAncestors {
		return
	}
	t.ancestors = minAncestors
	oldest := t
	for i := minAncestors; i > 0 && oldest.Parent != nil; i-- {
		oldest = oldest.Parent.Track
	}
	oldest.Parent = nil
}

// A history is a ring buffer of the calls that ended last. Of older calls, only the last call of each
// function that has started tracks is kept.
type history struct {
	calls [maxHistory]*Call
	next  int
}

// add returns the call that is replaced, if any.
func (h *history) add(c *Call) (oldest *Call) {
	oldest = h.calls[h.next]
	h.calls[h.next] = c
	h.next = (h.next + 1) % len(h.calls)
	return oldest
}

// remember adds an ended call to the history.
func (c *Calls) remember(ended *Call) {
	oldest := c.history.add(ended)
	if oldest == nil {
		return
	}
	oldest.previous = nil
	state, t := oldest.state, oldest.Track
	if state.last != oldest || c.starters[oldest.Function] {
		return
	}
	if state.open != nil { // a recursive call
		state.last = state.open
		return
	}
	delete(t.functions, oldest.Function)
	if len(t.functions) == 0 {
		t.functions = nil // a map does not shrink
	}
}

// idleTracks are the tracks without open calls, longest idle first. A program may have had millions
// of tracks; only the most recently active ones are kept, since they may continue or start others.
type idleTracks struct {
	queue []idleTrack
	turn  int
}

type idleTrack struct {
	track *Track
	since int
}

func (i idleTrack) isStillIdle() bool { return i.track.idleSince == i.since }

// add queues a track; it returns the tracks to discard.
func (i *idleTracks) add(t *Track) (oldest []*Track) {
	i.turn++
	t.idleSince = i.turn
	i.queue = append(i.queue, idleTrack{t, i.turn})
	if len(i.queue) < maxIdle+maxIdle/8 {
		return nil
	}
	return i.compact()
}

// compact removes the entries of active tracks, and the oldest ones beyond the limit.
func (i *idleTracks) compact() (oldest []*Track) {
	kept := i.queue[:0]
	for _, each := range i.queue {
		if each.isStillIdle() {
			kept = append(kept, each)
		}
	}
	excess := max(len(kept)-maxIdle, 0)
	for _, each := range kept[:excess] {
		oldest = append(oldest, each.track)
	}
	kept = append(kept[:0], kept[excess:]...)
	clear(i.queue[len(kept):])
	i.queue = kept
	return oldest
}

func (c *Calls) discard(tracks []*Track) {
	for _, t := range tracks {
		delete(c.tracks, t.ID)
	}
}
