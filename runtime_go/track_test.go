//go:build trace

package functrace

import "testing"

// A goroutine whose outermost function never returns is to keep no deep stack.
func TestTrackGivesMemoryBackAboveItsOutermostCall(t *testing.T) {
	track := newTrack(1, place{})
	outermost := &function{name: "serve"}
	track.calls = append(track.calls, outermost)
	for i := 0; i < 20_000; i++ {
		track.reserve()
		track.calls = append(track.calls, &function{})
	}
	for len(track.calls) > 1 {
		track.calls = track.calls[:len(track.calls)-1]
		track.line = track.emptyLine(len(track.calls))[:len(track.calls)]
		track.giveBack()
	}
	if cap(track.calls) > maxIdleCalls || cap(track.line) > maxIdleLine {
		t.Errorf("room for %d calls and a line of %d bytes", cap(track.calls), cap(track.line))
	}
	if track.calls[0] != outermost {
		t.Error("the outermost call is lost")
	}
}
