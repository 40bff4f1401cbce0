//go:build trace && unix

package functrace

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A reader takes zeros where a chunk would begin for the end: so chunks of facts, and those
// of small and large segments, must follow each other without a gap.
func TestChunksFollowEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	var r recorder
	if err := r.open(&config{out: path, maxSize: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	w := &writer{number: 1}
	for i := 0; i < 500; i++ {
		if !r.newChunk(w, 1+i%90) {
			t.Fatal("no chunk")
		}
		w.words, w.used = nil, 0
		w.beginChunk(uint64(i), 1+i%90)
		f := &function{name: strings.Repeat("long", 300)}
		if f.number = r.putFunction(f, i); f.number == 0 {
			t.Fatal("no number")
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at, sequence := headerSize, r.sequence
	for ; string(data[at:at+4]) == "CHNK"; sequence-- {
		at += int(binary.LittleEndian.Uint32(data[at+8:]))
		if at == len(data) {
			sequence--
			break
		}
	}
	if sequence != 0 {
		t.Errorf("%d of %d chunks lie behind the gap at %d", sequence, r.sequence, at)
	}
}

// Otherwise calls of functions without a name would be missing without notice.
func TestUnwritableNamesEndTheTrace(t *testing.T) {
	defer off.Store(false)
	var r recorder
	path := filepath.Join(t.TempDir(), "x.ftrace")
	if err := r.open(&config{out: path, maxSize: 1 << 30, overwrite: true}); err != nil {
		t.Fatal(err)
	}
	r.file.remove()
	for i := 0; r.putFunction(&function{name: strings.Repeat("long", 300)}, i) != 0; i++ {
	}
	if r.failure == nil || r.header[6] != overwrites|writeFailed || !off.Load() {
		t.Errorf("flags %d, %v", r.header[6], r.failure)
	}
}

// All goroutines would wait for the writing one.
func TestSegmentsArePreallocatedInSteps(t *testing.T) {
	defer off.Store(false)
	var r recorder
	if err := r.open(&config{out: filepath.Join(t.TempDir(), "x.ftrace"), maxSize: 16 << 20}); err != nil {
		t.Fatal(err)
	}
	w := &writer{growth: maxGrowth}
	for before := r.written; r.newChunk(w, 1); before = r.written {
		w.beginChunk(0, 1)
		if largest := len(r.segments) > 6; largest && r.written-before > preallocationStep {
			t.Errorf("%d bytes", r.written-before)
		}
	}
	if r.failure != errTraceFull || r.written > r.maxSize || len(r.segments) < 8 {
		t.Errorf("%v: %d segments, %d bytes", r.failure, len(r.segments), r.written)
	}
}

// Escapes make arguments and options up to six times as long.
func TestDescriptionOfTheProcessFitsInAChunk(t *testing.T) {
	arguments := os.Args
	defer func() { os.Args = arguments }()
	os.Args = []string{"shop"}
	for i := 0; i < 8; i++ {
		os.Args = append(os.Args, strings.Repeat("\x01", 2000))
	}
	for _, name := range []string{"FUNCTRACE_INCLUDE", "FUNCTRACE_EXCLUDE"} {
		t.Setenv(name, strings.Repeat(`"`, 9000))
	}
	var r recorder
	path := filepath.Join(t.TempDir(), "x.ftrace")
	if err := r.open(&config{out: path, maxSize: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	if size := 8 * r.used; size < 10_000 || size > factsSize {
		t.Errorf("%d bytes of facts", size)
	}
}

// Reading standard error may take long, and other goroutines need the lock.
func TestReasonIsReportedWithoutTheLock(t *testing.T) {
	defer off.Store(false)
	var r recorder
	if err := r.open(&config{out: filepath.Join(t.TempDir(), "x.ftrace"), maxSize: minTrace}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "messages")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	own := messages
	defer func() { messages = own }()
	messages = newSink(file, false)
	messages.kind = lockedKind
	messages.mu.Lock()
	ended := make(chan bool)
	go func() {
		w := &writer{growth: maxGrowth}
		for r.newChunk(w, 1) {
			w.beginChunk(0, 1)
		}
		close(ended)
	}()
	for hasStopped := false; !hasStopped; runtime.Gosched() {
		r.mu.Lock()
		hasStopped = r.failure != nil
		r.mu.Unlock()
	}
	messages.mu.Unlock()
	<-ended
	text, _ := os.ReadFile(path)
	if string(text) != "functrace: "+errTraceFull.Error()+"; tracing is off\n" {
		t.Errorf("%q", text)
	}
}

// Names are not overwritten, and come on top of the calls.
func TestNamesLeaveRoomForCallsInOverwritingTrace(t *testing.T) {
	defer off.Store(false)
	var r recorder
	path := filepath.Join(t.TempDir(), "x.ftrace")
	if err := r.open(&config{out: path, maxSize: minTrace, overwrite: true}); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2*minTrace/4096; i++ {
		if r.putFunction(&function{name: strings.Repeat("long", 1024)}, i) == 0 {
			t.Fatal(r.failure)
		}
	}
	w := &writer{growth: maxGrowth}
	for i := 0; i < 1000; i++ {
		if !r.newChunk(w, 1) {
			t.Fatal(r.failure)
		}
		w.beginChunk(0, 1)
	}
	if r.failure != nil || r.header[18] == 0 {
		t.Errorf("%v, overwritten up to %d", r.failure, r.header[18])
	}
}
