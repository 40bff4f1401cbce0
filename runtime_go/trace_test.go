//go:build trace

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

	"functrace"
)

// start runs a program of this binary and returns what it printed on standard
// output and standard error.
func start(t *testing.T, program string, env ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	// Under the race detector a process would wait a second before it ends.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "FUNCTRACE_TEST_PROGRAM="+program)
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run() // how the program ends is part of some
	return out.String(), errs.String()
}

func lines(level int, text ...string) string {
	var b strings.Builder
	for _, name := range text {
		fmt.Fprintf(&b, "g[01]:%s->functrace_test.%s\n", strings.Repeat("\t", level), name)
		fmt.Fprintf(&b, "g[01]:%s<-functrace_test.%s\n", strings.Repeat("\t", level), name)
	}
	return b.String()
}

const chain = "g[01]:\t->functrace_test.a\ng[01]:\t\t->functrace_test.b\n" +
	"g[01]:\t\t\t->functrace_test.c\ng[01]:\t\t\t\t->functrace_test.d\n" +
	"g[01]:\t\t\t\t<-functrace_test.d\ng[01]:\t\t\t<-functrace_test.c\n" +
	"g[01]:\t\t<-functrace_test.b\ng[01]:\t<-functrace_test.a\n"

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%.2000s\nwant:\n%.2000s", got, want)
	}
}

func TestChain(t *testing.T) {
	got, _ := start(t, "chain")
	expect(t, got, chain)
}

func TestKindsOfFunctions(t *testing.T) {
	got, _ := start(t, "kinds")
	expect(t, got, lines(1, "shape.value", "(*shape).pointer", "shape.value", "generic[...]", "kinds.func1"))
}

func TestInvisibleNameIsEscaped(t *testing.T) {
	got, _ := start(t, "hidden")
	expect(t, got, lines(1, `hidden\u3164`))
}

func TestPanicLeavesEveryCallAndRecoverWorks(t *testing.T) {
	got, errs := start(t, "panic")
	expect(t, got, "g[01]:\t->functrace_test.recovered\ng[01]:\t\t->functrace_test.panics\n"+
		"g[01]:\t\t<-functrace_test.panics\ng[01]:\t<-functrace_test.recovered\n")
	expect(t, errs, "recovered oops\n")
}

func TestGoexitLeavesEveryCall(t *testing.T) {
	got, _ := start(t, "goexit")
	if strings.Count(got, "->") != 1 || strings.Count(got, "<-") != 1 {
		t.Error(got)
	}
}

func TestDefersInLoop(t *testing.T) {
	got, _ := start(t, "loop")
	expect(t, got, "g[01]:\t->functrace_test.loop\ng[01]:\t\t->functrace_test.loop\n"+
		"g[01]:\t\t<-functrace_test.loop\ng[01]:\t<-functrace_test.loop\n")
}

func TestCallsBeforeMain(t *testing.T) {
	got, _ := start(t, "init")
	expect(t, got, lines(1, "d", "d"))
}

func TestEndsOfProcessLoseNoLine(t *testing.T) {
	for _, program := range []string{"exit", "kill"} {
		got, _ := start(t, program)
		expect(t, got, chain)
		path := filepath.Join(t.TempDir(), "out")
		start(t, program, "FUNCTRACE_OUT="+path)
		expect(t, read(t, path), chain)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// parse takes a line apart; a regular expression would take most of the test's time.
func parse(line string) (id string, level int, arrow, name string, ok bool) {
	id, rest, found := strings.Cut(line, "]:")
	call := strings.TrimLeft(rest, "\t")
	name, isOurs := strings.CutPrefix(call[min(2, len(call)):], "functrace_test.")
	ok = found && isOurs && strings.HasPrefix(id, "g[") && !strings.ContainsAny(name, "\t[]:<>")
	return id, len(rest) - len(call), call[:min(2, len(call))], name, ok
}

// chains checks that the calls of every goroutine nest, and returns how many
// goroutines there are.
func chains(t *testing.T, text string) int {
	t.Helper()
	open := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		id, level, arrow, name, ok := parse(line)
		if !ok || arrow != "->" && arrow != "<-" {
			t.Fatalf("not a line: %.200q", line)
		}
		calls := open[id]
		if arrow == "->" {
			calls = append(calls, name)
		}
		if len(calls) != level || calls[level-1] != name {
			t.Fatalf("%.200q inside %.200v", line, calls)
		}
		if arrow == "<-" {
			calls = calls[:level-1]
		}
		open[id] = calls
	}
	for id, calls := range open {
		if len(calls) != 0 {
			t.Errorf("goroutine %s never leaves %.200v", id, calls)
		}
	}
	return len(open)
}

func TestManyGoroutinesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	start(t, "many", "FUNCTRACE_OUT="+path)
	if n := chains(t, read(t, path)); n != liveGoroutines {
		t.Errorf("%d goroutines", n)
	}
}

func TestLinesNeverMix(t *testing.T) {
	piped, _ := start(t, "mixed")
	if n := chains(t, piped); n != 5 {
		t.Errorf("%d goroutines in the pipe", n)
	}
	path := filepath.Join(t.TempDir(), "out")
	start(t, "mixed", "FUNCTRACE_OUT="+path)
	if n := chains(t, read(t, path)); n != 5 {
		t.Errorf("%d goroutines in the file", n)
	}
}

func TestMemoryIsFlatOverShortGoroutines(t *testing.T) {
	_, errs := start(t, "short", "FUNCTRACE_OUT=/dev/null")
	grown, err := strconv.Atoi(strings.TrimSpace(errs))
	if err != nil || grown > 1<<20 {
		t.Errorf("the heap grew by %s bytes over %d goroutines", errs, shortGoroutines)
	}
}

func TestDeepRecursion(t *testing.T) {
	_, errs := start(t, "deep", "FUNCTRACE_OUT=/dev/null")
	expect(t, errs, "")
	path := filepath.Join(t.TempDir(), "out")
	start(t, "deep", "FUNCTRACE_OUT="+path, "FUNCTRACE_DEPTH=3")
	if text := read(t, path); chains(t, text) != 1 || strings.Count(text, "\n") != 6 {
		t.Errorf("%.500s", text)
	}
}

func TestNoAllocationPerCall(t *testing.T) {
	if !functrace.IsAllocationFree() {
		t.Skip("the public API allocates")
	}
	for _, out := range []string{"/dev/null", filepath.Join(t.TempDir(), "out")} {
		_, errs := start(t, "allocs", "FUNCTRACE_OUT="+out)
		expect(t, errs, "0\n")
	}
}

func TestMisusedExitFunctionsDoNoHarm(t *testing.T) {
	for _, program := range []string{"misuse", "foreign"} {
		_, errs := start(t, program)
		expect(t, errs, "")
	}
}

func TestFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	limit := len(chain) + 10
	for i := 0; i < 2; i++ { // a second process finds the first one's lines
		_, errs := start(t, "stranded", "FUNCTRACE_OUT="+path, fmt.Sprintf("FUNCTRACE_MAX_SIZE=%d", limit))
		text, _ := os.ReadFile(path)
		if len(text) > limit || !strings.HasPrefix(string(text), chain) {
			t.Errorf("%d bytes: %q", len(text), text)
		}
		if i == 1 {
			expect(t, errs, "functrace: cannot write: the file has reached FUNCTRACE_MAX_SIZE; tracing is off\ndone\n")
		}
	}
}

func TestOff(t *testing.T) {
	got, errs := start(t, "chain", "FUNCTRACE=off")
	expect(t, got+errs, "")
}

func TestFilteredFunctionsAddNoLevel(t *testing.T) {
	got, _ := start(t, "chain", "FUNCTRACE_EXCLUDE=*.b,*.c")
	expect(t, got, "g[01]:\t->functrace_test.a\n"+lines(2, "d")+"g[01]:\t<-functrace_test.a\n")
	got, _ = start(t, "chain", "FUNCTRACE_INCLUDE=functrace_test.d")
	expect(t, got, lines(1, "d"))
}

func TestOutputs(t *testing.T) {
	_, errs := start(t, "chain", "FUNCTRACE_OUT=stderr")
	expect(t, errs, chain)
	dir := t.TempDir()
	start(t, "chain", "FUNCTRACE_OUT="+filepath.Join(dir, "%p"))
	found, _ := filepath.Glob(filepath.Join(dir, "[0-9]*"))
	if len(found) != 1 {
		t.Fatalf("%v", found)
	}
	expect(t, read(t, found[0]), chain)
}

// After any error the program continues, and one line reports the error.
func TestErrorsAreReportedOnce(t *testing.T) {
	for _, c := range []struct{ setting, message string }{
		{"FUNCTRACE=txet", "functrace: FUNCTRACE=txet is none of text, record, ring, otlp and off; tracing is off\n"},
		{"FUNCTRACE_DEPTH=x", "functrace: FUNCTRACE_DEPTH=x is not a number of levels; tracing is off\n"},
		{"FUNCTRACE_OUT=/dev/null/x/y", "functrace: FUNCTRACE_OUT: mkdir /dev/null: not a directory; tracing is off\n"},
		{"FUNCTRACE_OUT=/dev/full", "functrace: cannot write: no space left on device; tracing is off\n"},
	} {
		if _, err := os.Stat("/dev/full"); err != nil && strings.Contains(c.setting, "/dev/full") {
			continue
		}
		got, errs := start(t, "stranded", c.setting)
		expect(t, got, "")
		expect(t, errs, c.message+"done\n")
	}
}

func TestClosedStandardOutput(t *testing.T) {
	_, errs := start(t, "closed")
	if strings.Count(errs, "functrace: ") != 1 || !strings.HasSuffix(errs, "done\n") {
		t.Error(errs)
	}
}

// closedPipe returns a pipe that nobody reads.
func closedPipe(t *testing.T) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	t.Cleanup(func() { writer.Close() })
	return writer
}

// Even writing the message must not end the program with SIGPIPE.
func TestClosedPipeForStandardError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alive")
	for _, setting := range []string{"FUNCTRACE_OUT=stdout", "FUNCTRACE_OUT=stderr", "FUNCTRACE=txet"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=create", "FUNCTRACE_TEST_CREATE="+path, setting)
		cmd.Stdout = closedPipe(t)
		cmd.Stderr = cmd.Stdout
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", setting, err)
		}
		if err := os.Remove(path); err != nil {
			t.Errorf("%s: the program did not run on: %v", setting, err)
		}
	}
}

func TestClosedPipe(t *testing.T) {
	writer := closedPipe(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=stranded")
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = writer, &errs
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	expect(t, errs.String(), "functrace: cannot write: broken pipe; tracing is off\ndone\n")
}
