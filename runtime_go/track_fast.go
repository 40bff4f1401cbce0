//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// Tracks found by the address of g.

import "sync/atomic"

// A trackLink is a track's link in the list of its hash bucket.
type trackLink struct {
	g    uintptr
	next *track
}

//go:norace
func (p *trackLink) isAt(g uintptr) bool { return p.g == g }

// Tracks by the address of the Go runtime's goroutine descriptor, g. The runtime reuses
// descriptors and never frees one, so the number of tracks is bounded by the maximum number of
// goroutines alive at once.
const trackBuckets = 1 << 16

var tracksByG [trackBuckets]atomic.Pointer[track]

// trackOfG returns the track of the goroutine that has that g and id.
//
//go:norace
func trackOfG(g uintptr, id uint64) *track {
	bucket := &tracksByG[hash(g)%trackBuckets]
	first := bucket.Load()
	for t := first; t != nil; t = t.next {
		if t.g == g {
			if t.id != id {
				t.reassign(id)
			}
			return t
		}
	}
	t := newTrack(id, trackLink{g: g})
	for {
		t.next = first
		if bucket.CompareAndSwap(first, t) {
			return t
		}
		first = bucket.Load()
	}
}

// reassign resets the track for another goroutine on the same g.
//
//go:norace
func (t *track) reassign(id uint64) {
	if recording {
		t.id = id
		t.restart()
		return
	}
	disableRaceDetector()
	t.mu.Lock()
	t.id, t.calls = id, t.calls[:0]
	t.mu.Unlock()
	enableRaceDetector()
}
