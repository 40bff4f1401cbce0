//go:build trace

package functrace

import (
	"testing"
	"unsafe"
)

// A write by one core evicts the cache line from the others.
func TestTracksShareNoCacheLine(t *testing.T) {
	const line = 64
	if fast && unsafe.Sizeof(track{})%line != 0 {
		t.Errorf("a track has %d bytes", unsafe.Sizeof(track{}))
	}
	if size := unsafe.Sizeof(trackShard{}); unsafe.Sizeof(uintptr(0)) == 8 && size%line != 0 {
		t.Errorf("a shard of the tracks by id has %d bytes", size)
	}
}

// A goroutine whose outermost function never returns must not keep a deep stack.
func TestTrackReleasesMemoryAfterItsOutermostCall(t *testing.T) {
	track := newTrack(1, trackLink{})
	outermost := &function{name: "serve"}
	track.calls = append(track.calls, outermost)
	for i := 0; i < 20_000; i++ {
		track.reserve()
		track.calls = append(track.calls, &function{})
	}
	for len(track.calls) > 1 {
		track.calls = track.calls[:len(track.calls)-1]
		track.line = track.emptyLine(len(track.calls))[:len(track.calls)]
		track.shrink()
	}
	if cap(track.calls) > maxIdleCalls || cap(track.line) > maxIdleLine {
		t.Errorf("room for %d calls and a line of %d bytes", cap(track.calls), cap(track.line))
	}
	if track.calls[0] != outermost {
		t.Error("the outermost call is lost")
	}
}

func TestGoroutineThatReturnsContinuesNoTrackOfAnother(t *testing.T) {
	s := trackShard{idle: make(map[uint64]*track)}
	first, second := s.newOrIdleTrack(66), s.newOrIdleTrack(130)
	s.idle[66], s.idle[130] = first, second
	if s.newOrIdleTrack(66) != first {
		t.Error("a goroutine that returns does not continue its own track")
	}
	if s.newOrIdleTrack(194) != second {
		t.Error("a new goroutine does not continue an idle track")
	}
	s.idle[66] = first
	if returned := s.newOrIdleTrack(130); returned == first || returned == second {
		t.Error("a goroutine that returns continues another's track")
	}
}
