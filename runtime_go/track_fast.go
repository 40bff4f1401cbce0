//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import "sync/atomic"

// A place is a track's in the list that its bucket begins.
type place struct {
	g    uintptr
	next *track
}

//go:norace
func (p *place) isAt(g uintptr) bool { return p.g == g }

// Tracks by the address of the Go runtime's own descriptor of the goroutine, g.
// The runtime reuses these for new goroutines and never frees one, so a track
// for each that was ever seen is bounded by the most goroutines alive at once.
const trackBuckets = 1 << 16

var tracksByG [trackBuckets]atomic.Pointer[track]

//go:norace
func trackOfG(g uintptr, id uint64) *track {
	bucket := &tracksByG[hash(g)%trackBuckets]
	first := bucket.Load()
	for t := first; t != nil; t = t.next {
		if t.g == g {
			if t.id != id {
				t.serve(id)
			}
			return t
		}
	}
	t := newTrack(id, place{g: g})
	for {
		t.next = first
		if bucket.CompareAndSwap(first, t) {
			return t
		}
		first = bucket.Load()
	}
}

// serve starts the track anew for another goroutine on the same g.
//
//go:norace
func (t *track) serve(id uint64) {
	if recording {
		t.id = id
		t.restart()
		return
	}
	hideFromRaceDetector()
	t.mu.Lock()
	t.id, t.calls = id, t.calls[:0]
	t.mu.Unlock()
	showToRaceDetector()
}
