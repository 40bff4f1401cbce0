//go:build trace && linux && !race

package functrace_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"functrace"
)

func init() {
	programs["unmapped"] = unmapped
	programs["cramped"] = func() {
		defer functrace.Trace()()
		// Less than the calls need. The trace grows by 64 KB, 128 KB and so on to 2 MB: when it cannot, 1 MB is
		// left, more than Go's own runtime might map meanwhile.
		runtime.GOMAXPROCS(1) // there is no room for more threads either
		runtime.GC()
		leaveRoom(7 << 20)
		waves(400_000)
		fmt.Fprintln(os.Stderr, "done")
	}
}

// leaveRoom lets the process map so many bytes more, and returns what takes that back.
func leaveRoom(more uint64) (undo func()) {
	var pages uint64
	statm, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(statm), &pages)
	var before syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_AS, &before)
	now := before
	now.Cur = pages*uint64(os.Getpagesize()) + more
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &now); err != nil {
		panic(err)
	}
	return func() { syscall.Setrlimit(syscall.RLIMIT_AS, &before) }
}

// unmapped starts recording while mapping fails, and again after it works.
func unmapped() {
	undo := leaveRoom(0)
	err := functrace.Start()
	undo()
	a()
	fmt.Println(err, functrace.Snapshot(io.Discard), functrace.Stopped())
	fmt.Println(functrace.Start())
	d()
}

func TestRecordingStartsAgainAfterMappingFailure(t *testing.T) {
	folder := t.TempDir()
	stdout, stderr := start(t, "unmapped", "FUNCTRACE=off", "FUNCTRACE_OUT="+folder+"/x.ftrace")
	expect(t, stdout+stderr, "cannot write the trace: mmap "+folder+"/x.ftrace: cannot allocate memory "+
		"functrace: nothing is being recorded true\n<nil>\n")
	if found, _ := os.ReadDir(folder); len(found) != 1 {
		t.Errorf("there are %v", found)
	}
	expect(t, decode(t, folder+"/x.ftrace").main().String(), "\t->d\n\t<-d\n")
}

func TestMappingFailureWhileRecording(t *testing.T) {
	d, _, stderr := record(t, "cramped")
	if !strings.HasPrefix(stderr, "functrace: cannot write the trace: mmap ") ||
		!strings.HasSuffix(stderr, "x.ftrace: cannot allocate memory; tracing is off\ndone\n") {
		t.Errorf("%q", stderr)
	}
	if d.flags != 8 || d.lost == 0 || len(d.main().events) < 10_000 {
		t.Errorf("flags %d, lost %d, %d events", d.flags, d.lost, len(d.main().events))
	}
}
