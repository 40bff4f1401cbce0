//go:build trace && unix

package functrace_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"functrace"
)

const recordedChain = "\t->a\n\t\t->b\n\t\t\t->c\n\t\t\t\t->d\n\t\t\t\t<-d\n\t\t\t<-c\n\t\t<-b\n\t<-a\n"

func TestRecordedChain(t *testing.T) {
	d, _, stderr := record(t, "chain")
	expect(t, d.main().String(), recordedChain)
	expect(t, stderr, "")
	for _, part := range []string{`{"argv":["`, `"tool":"functrace `, `"FUNCTRACE":"record"`} {
		if !strings.Contains(d.process, part) {
			t.Errorf("%s is not in %s", part, d.process)
		}
	}
}

var clocks = []string{"FUNCTRACE_CLOCK=counter", "FUNCTRACE_CLOCK=system"}

func TestTimesOfATrackNeverGoBack(t *testing.T) {
	for _, clock := range clocks {
		d, _, _ := record(t, "waves", clock)
		var last uint64
		for _, e := range d.main().events {
			if e.ticks < last {
				t.Fatalf("%s: %d behind %d", clock, e.ticks, last)
			}
			last = e.ticks
		}
		if n := len(d.main().events); n != 2+20_000*8 {
			t.Errorf("%s: %d events", clock, n)
		}
	}
}

func TestSystemClockCountsNanoseconds(t *testing.T) {
	d, _, _ := record(t, "long", "FUNCTRACE_CLOCK=system")
	if !strings.Contains(d.process, `"clock":"monotonic clock of the system"`) {
		t.Error(d.process)
	}
	slow := d.main().events[1:3]
	passed := time.Duration(slow[1].ticks - slow[0].ticks)
	if slow[0].name != "slow" || passed < long || passed > time.Minute {
		t.Errorf("%v: %v", slow, passed)
	}
}

func TestErrorsAreRecorded(t *testing.T) {
	for setting, want := range map[string][2]string{
		"":                          {`&functrace_test.failure{text: "` + strings.Repeat("long ", 33) + "long", "(*functrace_test.failure)(nil)"},
		"FUNCTRACE_ERROR_TEXT=call": {strings.Repeat("long ", 40), "(its Error method panics)"},
	} {
		d, _, _ := record(t, "fail", setting)
		expect(t, d.main().String(), "\t->failing\n\t\t->failing\n\t\t\t->failing\n"+
			"\t\t\terror "+want[0]+"\n\t\t\t<-failing\n"+
			"\t\terror at 2\n\t\t<-failing\n\terror at 3\n\t<-failing\n"+
			"\t->failing\n\terror "+want[1]+"\n\t<-failing\n")
	}
}

// A call of an instrumented Error method by the recorder is not recorded, and its time is not counted.
func TestPanicWithProgramError(t *testing.T) {
	for setting, want := range map[string]string{"": `&functrace_test.failure{text: "why"}`, "FUNCTRACE_ERROR_TEXT=call": "why"} {
		d, _, _ := record(t, "insult", setting)
		if !functrace.IsFast() { // the public interfaces do not tell
			want = ""
		}
		expect(t, d.main().String(), "\t->insult\n\tpanic "+want+"\n\t<-insult\n")
		events := d.main().events
		if events[0].ticks > events[2].ticks {
			t.Error("time goes back")
		}
	}
}

func TestPanicsAreRecorded(t *testing.T) {
	d, _, _ := record(t, "unwind")
	text := ""
	if functrace.IsFast() { // the public interfaces do not tell
		text = "an error"
	}
	inner := strings.ReplaceAll(recordedChain, "\t->", "\t\t\t\t->")
	inner = strings.ReplaceAll(inner, "\t<-", "\t\t\t\t<-")
	want := "\t->unwind\n\t\t->unwind.func1\n\t\t\t->unwind.func1.2\n" + inner +
		"\t\t\tpanic " + text + "\n\t\t\t<-unwind.func1.2\n\t\t<-unwind.func1\n\t<-unwind\n"
	expect(t, d.main().String(), want)
	other := d.tracks[d.order[len(d.order)-1]]
	expect(t, other.String(), "\t->unwind.func2\n\t\t->d\n\t\t<-d\n\tgoexit \n\t<-unwind.func2\n")
}

func TestRecordedCallsSurviveTheEndOfTheProcess(t *testing.T) {
	for program, last := range map[string]string{
		"exit": "\t<-a\n", "kill": "\t<-a\n", "fatal": "\t\t<-a\n", "misused": "\t\t<-a\n",
		"unhandled": "\tpanic oops\n\t<-unhandled\n", "throw": "->overflow\n",
	} {
		if program == "unhandled" && !functrace.IsFast() {
			continue // the text is not known there
		}
		d, _, _ := record(t, program, "FUNCTRACE_MAX_SIZE=64M")
		got := d.main().String()
		got = strings.ReplaceAll(got, "init.func", "") // programs are literals
		if program == "unhandled" {
			if !strings.Contains(got, "panic oops\n\t<-") {
				t.Errorf("%s: %.300s", program, got)
			}
			continue
		}
		if !strings.HasSuffix(got, last) {
			t.Errorf("%s: %.300s", program, got[max(0, len(got)-300):])
		}
	}
}

func TestParents(t *testing.T) {
	d, _, _ := record(t, "parents")
	var got []string
	for _, id := range d.order[1:] {
		track := d.tracks[id]
		got = append(got, strconv.FormatUint(track.parent, 10)+" "+track.starter)
	}
	want := "1 run\n1 run"
	if !functrace.IsFast() { // only of functions that were traced before is the number known
		want = "1 \n1 "
	}
	expect(t, strings.Join(got, "\n"), want)
	if d.tracks[d.order[1]].line == 0 {
		t.Error("the line of the go statement is not known")
	}
}

func TestPoolWorkers(t *testing.T) {
	d, _, _ := record(t, "pool")
	for _, id := range d.order[1:] {
		if track := d.tracks[id]; track.parent != 1 || track.starter != "pool" {
			t.Errorf("goroutine %d was started by %q on %d", id, track.starter, track.parent)
		}
	}
}

// The chain goes on in what is open where the worker starts, that is, with its first call: the
// starter has no calls, and the parent has not left by then.
func TestWorkersStartedByUntracedCode(t *testing.T) {
	d, _, _ := record(t, "lent")
	worker := d.tracks[d.order[1]]
	starter := "startWorkers"
	if !functrace.IsFast() { // only of functions that were traced before is the number known
		starter = ""
	}
	first, parent := worker.events[0], d.main().events
	if len(parent) != 2 || first.ticks < parent[0].ticks || first.ticks > parent[1].ticks {
		t.Errorf("%v beside %v", first, parent)
	}
	expect(t, fmt.Sprint(worker.parent, worker.starter), fmt.Sprint(1, starter))
	expect(t, worker.String(), "\t->c\n\t\t->d\n\t\t<-d\n\t<-c\n"+strings.Repeat("\t->d\n\t<-d\n", 3))
}

func TestGoroutineStartedByTimer(t *testing.T) {
	d, _, _ := record(t, "timer")
	for _, track := range d.tracks {
		if track.id != 1 && track.starter != "time.goFunc" && track.starter != "" {
			t.Errorf("started by %q on %d", track.starter, track.parent)
		}
	}
}

func TestFiltersApplyBeforeTheFirstWrite(t *testing.T) {
	d, _, _ := record(t, "chain", "FUNCTRACE_DEPTH=2")
	expect(t, d.main().String(), "\t->a\n\t\t->b\n\t\t<-b\n\t<-a\n")
	d, _, _ = record(t, "chain", "FUNCTRACE_EXCLUDE=*.b,*.c")
	expect(t, d.main().String(), "\t->a\n\t\t->d\n\t\t<-d\n\t<-a\n")
	d, _, _ = record(t, "long", "FUNCTRACE_MIN_DURATION=250ms", "FUNCTRACE_EXCLUDE=*init*")
	expect(t, d.main().String(), "\t->slow\n\t<-slow\n\t->slowTwice\n\t\t->slow\n\t\t<-slow\n\t<-slowTwice\n")
}

func TestShortGoroutinesShareChunks(t *testing.T) {
	d, _, _ := record(t, "relay", "FUNCTRACE_MAX_SIZE=64M")
	if len(d.tracks) < liveGoroutines || d.lost != 0 {
		t.Errorf("%d goroutines, %d lost", len(d.tracks), d.lost)
	}
}

func TestMemoryOfManyGoroutines(t *testing.T) {
	size := func(env ...string) int {
		stdout, _ := start(t, "crowd", append(env, "FUNCTRACE_OUT="+t.TempDir()+"/x")...)
		n, err := strconv.Atoi(strings.TrimSpace(stdout))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	more := size("FUNCTRACE=record") - size("FUNCTRACE=off")
	if limit := 640 * liveGoroutines; more > limit && functrace.IsAllocationFree() {
		t.Errorf("%d goroutines take %d bytes, more than %d", liveGoroutines, more, limit)
	}
}

func TestFullTraceStops(t *testing.T) {
	d, _, stderr := record(t, "fill", "FUNCTRACE_MAX_SIZE=1M")
	expect(t, stderr, "functrace: the trace has reached FUNCTRACE_MAX_SIZE; tracing is off\ndone\n")
	if d.flags != 2 || d.lost == 0 || !strings.HasPrefix(d.main().String(), "\t->") {
		t.Errorf("flags %d, lost %d", d.flags, d.lost)
	}
}

// A goroutine that has lost a call may run on a thread that still has room.
func TestFullTraceHasNoGaps(t *testing.T) {
	d, _, _ := record(t, "fill on", "FUNCTRACE_MAX_SIZE=1M")
	if d.flags != 2 || d.lost == 0 {
		t.Errorf("flags %d, lost %d", d.flags, d.lost)
	}
}

func TestFullTraceOverwrites(t *testing.T) {
	d, _, stderr := record(t, "fill", "FUNCTRACE_MAX_SIZE=1M", "FUNCTRACE_FULL=overwrite")
	expect(t, stderr, "done\n")
	events := d.main().events
	if last := events[len(events)-1]; d.flags != 4 || last.kind != "<-" || last.name == "a" {
		t.Errorf("flags %d, %d events, at last %v", d.flags, len(events), last)
	}
	if len(events) < 50_000 {
		t.Errorf("only %d events are left", len(events))
	}
}

func TestTraceErrors(t *testing.T) {
	folder := t.TempDir()
	for out, want := range map[string]string{
		"/dev/null/x": "functrace: FUNCTRACE_OUT: mkdir /dev/null: not a directory; tracing is off\n",
		"/dev/null":   "functrace: FUNCTRACE_OUT: a trace requires a file, but /dev/null is a pipe or a device; tracing is off\n",
		"/dev/stdout": "functrace: FUNCTRACE_OUT: a trace requires a file, but /dev/stdout is a stream; tracing is off\n",
		"stdout":      "functrace: FUNCTRACE_OUT: a trace requires a file, but stdout is a stream; tracing is off\n",
	} {
		stdout, stderr := start(t, "chain", "FUNCTRACE=record", "FUNCTRACE_OUT="+out)
		if stdout != "" || stderr != want {
			t.Errorf("%s: %q, want %q", out, stderr, want)
		}
	}
	_, stderr := start(t, "chain", "FUNCTRACE=record", "FUNCTRACE_MAX_SIZE=4K", "FUNCTRACE_OUT="+folder)
	expect(t, stderr, "functrace: FUNCTRACE_MAX_SIZE is too small for a trace: set it to 1M or more; tracing is off\n")
}

func TestFileSizeLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	cmd := exec.Command("sh", "-c", `ulimit -f 400 && exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=fill", "FUNCTRACE=record", "FUNCTRACE_OUT="+path)
	output, err := cmd.CombinedOutput()
	expect(t, string(output), "functrace: cannot write the trace: write "+path+": file too large; tracing is off\ndone\n")
	if d := decode(t, path); err != nil || d.flags != 8 || d.lost == 0 || len(d.main().events) < 1000 {
		t.Errorf("%v, flags %d, lost %d, %d events", err, d.flags, d.lost, len(d.main().events))
	}
}

func TestExistingTraceIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	os.WriteFile(path, []byte("mine"), 0o600)
	_, stderr := start(t, "chain", "FUNCTRACE=record", "FUNCTRACE_OUT="+path)
	if content, _ := os.ReadFile(path); !bytes.Equal(content, []byte("mine")) {
		t.Errorf("%q", content)
	}
	other := strings.TrimSuffix(path, ".ftrace") + "-2.ftrace"
	expect(t, stderr, "functrace: "+path+" exists; the trace goes to "+other+"\n")
	expect(t, decode(t, other).main().String(), recordedChain)
}

func TestStartAndStop(t *testing.T) {
	folder := t.TempDir()
	stdout, stderr := start(t, "toggle", "FUNCTRACE=off", "FUNCTRACE_OUT="+folder+"/x.ftrace")
	expect(t, stdout+stderr, "true\n")
	expect(t, decode(t, folder+"/x.ftrace").main().String(), "\t->d\n\t<-d\n")
	d, _, _ := record(t, "stuck")
	if got := d.main().String(); strings.Contains(got, "->a\n") || !strings.Contains(got, "\t\t->d\n\t\t<-d\n\t<-") {
		t.Error(got)
	}
}

// Start returns the error again and does not harm the program.
func TestStartAfterAnError(t *testing.T) {
	for _, c := range []struct{ setting, trouble string }{
		{"FUNCTRACE=txet", "FUNCTRACE=txet is none of text, record, ring, otlp and off"},
		{"FUNCTRACE=text", "FUNCTRACE_OUT: mkdir /dev/null: not a directory"},
		{"FUNCTRACE=record", "FUNCTRACE_OUT: mkdir /dev/null: not a directory"},
	} {
		stdout, stderr := start(t, "insist", c.setting, "FUNCTRACE_OUT=/dev/null/x")
		expect(t, stdout+stderr, "functrace: "+c.trouble+"; tracing is off\n"+c.trouble+"\n")
	}
}

func TestFallbackIfFastProbeDisagrees(t *testing.T) {
	d, _, stderr := record(t, "distrust")
	expect(t, d.main().String()+stderr, recordedChain)
	if got := d.tracks[d.order[0]].String(); !strings.HasPrefix(got, recordedChain+"\t->unwind\n") {
		t.Error(got)
	}
	stdout, _ := start(t, "distrust")
	expect(t, stdout[strings.LastIndex(stdout, "g[01]:\t->"):], chain)
}

func TestSignalStopsAndStarts(t *testing.T) {
	d, _, stderr := record(t, "signal", "FUNCTRACE_SIGNAL=USR1", "FUNCTRACE_DEPTH=1")
	expect(t, d.main().String(), "\t->a\n\t<-a\n\t->c\n\t<-c\n")
	expect(t, stderr, "")
	_, stderr = start(t, "exit", "FUNCTRACE_SIGNAL=HUP")
	expect(t, stderr, "functrace: FUNCTRACE_SIGNAL=HUP is neither USR1 nor USR2\n")
}

func TestRecordingAllocatesNothing(t *testing.T) {
	if !functrace.IsAllocationFree() {
		t.Skip("it does, this way")
	}
	for _, clock := range clocks {
		_, stderr := start(t, "allocs", "FUNCTRACE=record", "FUNCTRACE_OUT="+t.TempDir()+"/x", clock)
		expect(t, stderr, "0\n")
	}
}

// A chunk lists only the outermost of the calls that are open at its start.
func TestDeepCallsInOverwritingTrace(t *testing.T) {
	d, _, _ := record(t, "deep", "FUNCTRACE_FULL=overwrite")
	if main := d.main(); len(main.events) != 2*deepest || len(main.open) != 0 {
		t.Errorf("%d events, %d calls are open", len(main.events), len(main.open))
	}
}

// Lists of the open calls must not fill a small file.
func TestListsAreShortBesideTheFile(t *testing.T) {
	d, _, _ := record(t, "leaves", "FUNCTRACE_FULL=overwrite", "FUNCTRACE_MAX_SIZE=320K")
	calls := 0
	for _, e := range d.main().events {
		if e.kind == "->" && e.name == "d" {
			calls++
		}
	}
	if calls < 5000 {
		t.Errorf("%d calls are left", calls)
	}
}

func TestExitOnAnotherGoroutineRecordsNoError(t *testing.T) {
	d, _, _ := record(t, "returned")
	expect(t, d.main().String(), "\t->returned\n\t<-returned\n")
}

func TestErrorChangedWhileRecorded(t *testing.T) {
	d, _, stderr := record(t, "torn")
	expect(t, stderr, "done\n")
	for _, track := range d.tracks {
		for _, e := range track.events {
			if e.kind == "error" && !strings.HasPrefix(e.name, "&functrace_test.mutable{text: ") {
				t.Fatal(e.name)
			}
		}
	}
}
