//go:build trace && unix

package functrace_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func init() {
	programs["children"] = func() { a(); fmt.Println(children(), descriptors()) }
}

// children tells whether there is a child to wait for.
func children() error {
	var status syscall.WaitStatus
	_, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
	return err
}

// descriptors are how many the process has, as far as they can be counted, but for those of the Go
// runtime's poller.
func descriptors() (count int) {
	files, _ := os.ReadDir("/dev/fd")
	for _, file := range files {
		if name, _ := os.Readlink("/dev/fd/" + file.Name()); !strings.HasPrefix(name, "anon_inode:") {
			count++
		}
	}
	return count
}

// A stand-in is what a program finds as its sender.
type standIn struct {
	folder string
	env    []string
}

// sender makes one of a shell script, which finds the trace as $1 and its own folder as $here.
func sender(t *testing.T, script string) standIn {
	t.Helper()
	s := standIn{folder: t.TempDir()}
	script = "#!/bin/sh\nhere=" + s.folder + "\n" + script + "\n"
	if err := os.WriteFile(s.path("functrace-otlp"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.env = []string{"FUNCTRACE=otlp", "PATH=" + s.folder + ":" + os.Getenv("PATH"), "TMPDIR=" + s.path("tmp")}
	return s
}

func (s standIn) path(name string) string { return filepath.Join(s.folder, name) }

// traces returns the remaining trace files.
func (s standIn) traces(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(s.path("tmp/*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const notes = `echo "$*" >$here/arguments
echo "$PPID $FUNCTRACE $PWD" >$here/about
cat >$here/input
echo lost
echo told >&2`

func TestArgumentsOfTheSender(t *testing.T) {
	s := sender(t, notes)
	stdout, stderr := start(t, "chain", append(s.env, "FUNCTRACE_OUT=/nonexistent/x", "FUNCTRACE_FULL=stop")...)
	expect(t, stdout+stderr, "told\n")
	trace := strings.TrimSpace(read(t, s.path("arguments")))
	d := decode(t, trace)
	expect(t, d.main().String(), recordedChain)
	folder, _ := os.Getwd()
	expect(t, read(t, s.path("about")), fmt.Sprintf("%d off %s\n", d.pid, folder))
	expect(t, read(t, s.path("input")), "")
	if match, _ := filepath.Match(s.path(fmt.Sprintf("tmp/functrace-otlp-%d-*.ftrace", d.pid)), trace); !match {
		t.Error(trace)
	}
	if info, err := os.Stat(trace); err != nil || info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	expect(t, fmt.Sprint(s.traces(t)), fmt.Sprint([]string{trace}))
}

func TestSenderSendsCallsRecordedBeforeExit(t *testing.T) {
	s := sender(t, `echo "$1" >$here/trace`)
	for program, last := range map[string]string{"exit": "\t<-a\n", "kill": "\t<-a\n", "unhandled": "\t<-"} {
		_, stderr := start(t, program, s.env...)
		d := decode(t, strings.TrimSpace(read(t, s.path("trace"))))
		if got := d.main().String(); !strings.Contains(got, last) || strings.Contains(stderr, "functrace: ") {
			t.Errorf("%s: %s%s", program, got, stderr)
		}
	}
}

func TestLiveTraceIsBounded(t *testing.T) {
	s := sender(t, `echo "$1" >$here/trace`)
	_, stderr := start(t, "fill", append(s.env, "FUNCTRACE_MAX_SIZE=1M")...)
	expect(t, stderr, "done\n")
	trace := s.traces(t)[0]
	d := decode(t, trace)
	if info, err := os.Stat(trace); err != nil || info.Size() > 1<<20 || len(d.main().events) < 50_000 {
		t.Errorf("%d events in %v", len(d.main().events), info)
	}
}

func TestProgramHasNoChild(t *testing.T) {
	s := sender(t, `sleep 1000 <&- 2>&- & echo $! >$here/detached`)
	got, stderr := start(t, "children", s.env...)
	plain, _ := start(t, "children", "FUNCTRACE=record", "FUNCTRACE_OUT="+s.path("x.ftrace"))
	expect(t, got+stderr, plain)
	if !strings.HasPrefix(got, syscall.ECHILD.Error()) {
		t.Error(got)
	}
	exec.Command("sh", "-c", "kill $(cat "+s.path("detached")+")").Run()
}

// The script reads from a pipe that is opened for writing only after the program has ended.
func TestSlowSenderDelaysExitOnlyBriefly(t *testing.T) {
	s := sender(t, `exec 2>&-; echo "$1" >$here/trace; read line <$here/pipe`)
	if err := syscall.Mkfifo(s.path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr := start(t, "chain", s.env...)
	expect(t, stderr, "")
	expect(t, decode(t, strings.TrimSpace(read(t, s.path("trace")))).main().String(), recordedChain)
	if err := os.WriteFile(s.path("pipe"), []byte("end\n"), 0); err != nil {
		t.Fatal(err)
	}
}

func TestSenderErrors(t *testing.T) {
	broken := sender(t, "exit 3")
	absent := sender(t, "")
	os.Remove(absent.path("functrace-otlp"))
	foreign := sender(t, "")
	os.WriteFile(foreign.path("functrace-otlp"), []byte("\x7fELF"), 0o700)
	readOnly := sender(t, "")
	os.Remove(readOnly.path("tmp"))
	for _, c := range []struct {
		sender standIn
		want   string
	}{
		{broken, "functrace-otlp: exit status 3"},
		{absent, "there is no functrace-otlp on PATH; functrace go build --otlp makes a program that carries it"},
		{foreign, "fork/exec " + foreign.path("functrace-otlp") + ": exec format error"},
		{readOnly, "open " + readOnly.path("tmp") + "/functrace-otlp-"},
	} {
		env := append(c.sender.env, "PATH="+c.sender.folder)
		stdout, stderr := start(t, "chain", env...)
		if stdout != "" || !strings.HasPrefix(stderr, "functrace: FUNCTRACE=otlp: "+c.want) ||
			!strings.HasSuffix(stderr, "; tracing is off\n") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q, want %q", stderr, c.want)
		}
		if left := c.sender.traces(t); left != nil {
			t.Error(left)
		}
	}
}

// Any user may own the files in relative folders of PATH.
func TestRelativePathFoldersAreNotSearched(t *testing.T) {
	s := sender(t, "exit 3")
	cmd := exec.Command(os.Args[0])
	cmd.Dir = s.folder
	cmd.Env = append(append(os.Environ(), s.env...), "FUNCTRACE_TEST_PROGRAM=chain", "PATH=:.:")
	if output, _ := cmd.CombinedOutput(); !bytes.Contains(output, []byte("there is no functrace-otlp")) {
		t.Error(string(output))
	}
}

// Every import of the runtime becomes part of every traced program.
func TestImportsOfTheRuntime(t *testing.T) {
	list := exec.Command("go", "list", "-tags", "trace", "-f", `{{join .Imports " "}}`, ".")
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "bytes context errors hash/maphash io math os os/signal reflect runtime strconv strings sync sync/atomic syscall time unicode/utf8 unsafe"
	if got := strings.Fields(string(output)); !reflect.DeepEqual(got, strings.Fields(want)) {
		t.Errorf("%v", got)
	}
}
