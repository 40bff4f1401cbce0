//go:build trace && unix && !functrace_safe && (amd64 || arm64)

package functrace

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Assembly and Go must record the same bytes at the same times.
func TestAssemblyAndGoRecordTheSame(t *testing.T) {
	g, id, _ := state()
	track := trackOfG(g, id)
	const calls = 2 * 300
	inGo, looked := track.eventsOf(t, false)
	if looked != calls {
		t.Errorf("assembly recorded %d calls", calls-looked)
	}
	inAssembly, looked := track.eventsOf(t, true)
	if looked > calls/10 {
		t.Errorf("assembly left %d of %d calls to Go", looked, calls)
	}
	if !bytes.Equal(inGo, inAssembly) {
		t.Error("it is not the same")
	}
}

// eventsOf returns what calls of this goroutine, whose track it is, make of the chunks of
// events, and how many of them Go recorded.
func (t *track) eventsOf(test *testing.T, assembly bool) (events []byte, looked int) {
	path := filepath.Join(test.TempDir(), "x.ftrace")
	if err := rec.open(&config{out: path, maxSize: 1 << 30}); err != nil {
		test.Fatal(err)
	}
	recording, usesFastPath = true, assembly
	t.trackRecording.init()
	c := &fixedClock{}
	for i := 0; i < 300; i++ {
		c.outer()
	}
	recording, usesFastPath = false, false
	forgetTrace()
	t.trackRecording = trackRecording{}
	content, err := os.ReadFile(path)
	if err != nil {
		test.Fatal(err)
	}
	return content[headerSize+factsSize:], c.looked
}

// A fixedClock counts how often it was looked at, and how often Go recorded an entry.
type fixedClock struct {
	now    uint64
	looked int
}

func (c *fixedClock) tick() uint64 {
	c.now += 1000
	return c.now
}

//go:noinline
func (c *fixedClock) outer() {
	defer c.leave(c.enter())
	c.inner()
}

//go:noinline
func (c *fixedClock) inner() {
	defer c.leave(c.enter())
}

// enter stands in for Enter.
//
//go:noinline
func (c *fixedClock) enter() *track {
	now := c.tick()
	t := recordEntry(now)
	if t == nil {
		c.looked++
		g, id, _ := state()
		t = trackOfG(g, id)
		var pcs [1]uintptr
		runtime.Callers(2, pcs[:])
		t.record(functionAt(pcs[0]), now)
	}
	return t
}

// leave stands in for Exit.
func (c *fixedClock) leave(t *track) {
	now := c.tick()
	if !recordExit(t, now) {
		t.recordExit(now)
	}
}

// An exit without its entry would end a call of somebody else.
func TestCallWithoutRoomIsNotOpen(t *testing.T) {
	defer off.Store(false)
	depth := settings.depth
	defer func() {
		settings.depth, recording = depth, false
		forgetTrace()
	}()
	if err := rec.open(&config{out: filepath.Join(t.TempDir(), "x.ftrace"), maxSize: minTrace}); err != nil {
		t.Fatal(err)
	}
	recording = true
	settings.depth = 1 << 20
	tr := newTrack(goroutineID(), trackLink{})
	tr.origin.start = 1
	n := 0
	for tr.record(&function{number: 1}, uint64(n)) {
		n++
	}
	if n < 1000 || tr.depth != n || rec.failure != errTraceFull {
		t.Errorf("%d calls are open after %d entries: %v", tr.depth, n, rec.failure)
	}
}
