//go:build trace

package functrace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"functrace"
)

const ownData = "the program's own data\n"

func init() {
	programs["replace"] = func() { replaceDescriptors(3, 255) }
	programs["replace 1"] = func() { replaceDescriptors(1, 1) }
	programs["replace 2"] = func() { moveOutput(); replaceDescriptors(2, 255) }
	programs["replace moved"] = func() { moveOutput(); replaceDescriptors(3, 255) }
	programs["replace deleted"] = func() { os.Remove(os.Getenv("FUNCTRACE_OUT")); replaceDescriptors(3, 255) }
	programs["replace swapped"] = func() {
		moveOutput()
		os.WriteFile(os.Getenv("FUNCTRACE_OUT"), []byte(ownData), 0o600)
		replaceDescriptors(3, 255)
	}
	programs["close all"] = func() {
		os.Chdir("/")
		functrace.Stop()
		syscall.RawSyscall(closeRange, 3, 1<<20, 0)
		functrace.Start()
		waves(replacedWaves)
		fmt.Fprintln(os.Stderr, "done")
	}
	programs["lowest"] = func() {
		for i := 0; i < 4; i++ {
			null, _ := syscall.Open(os.DevNull, syscall.O_RDONLY, 0)
			fmt.Fprintln(os.Stderr, null)
		}
	}
}

const (
	replacedWaves = 20_000
	closeRange    = 436 // close_range(2), on all architectures
)

func moveOutput() {
	path := os.Getenv("FUNCTRACE_OUT")
	if err := os.Rename(path, path+".moved"); err != nil {
		panic(err)
	}
}

// replaceDescriptors opens the program's own file under all these numbers, and calls functions.
func replaceDescriptors(first, last int) {
	own, err := syscall.Open(os.Getenv("FUNCTRACE_TEST_OWN"), syscall.O_CREAT|syscall.O_RDWR, 0o600)
	if err != nil {
		panic(err)
	}
	syscall.Write(own, []byte(ownData))
	for number := first; number <= last; number++ {
		// Without the Go runtime's own epoll descriptor the program would die untraced, too.
		name, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(number))
		if number != own && !strings.HasPrefix(name, "anon_inode:") {
			syscall.Dup3(own, number, 0)
		}
	}
	waves(replacedWaves)
	if first > 2 {
		fmt.Fprintln(os.Stderr, "done")
	}
}

func TestReplacedDescriptorIsNotWrittenTo(t *testing.T) {
	const lost = ": the program has closed or replaced its descriptor; tracing is off\n"
	for _, c := range []struct{ program, mode, message string }{
		{"replace", "record", ""},
		{"replace moved", "record", "cannot write the trace: "},
		{"replace deleted", "record", "cannot write the trace: "},
		{"replace swapped", "record", "cannot write the trace: "},
		{"replace 2", "record", ""},
		{"replace", "text", ""},
		{"replace moved", "text", "cannot write: "},
		{"replace deleted", "text", "cannot write: "},
		{"replace swapped", "text", "cannot write: "},
		{"replace 2", "text", ""},
	} {
		t.Run(c.program+" "+c.mode, func(t *testing.T) {
			folder := t.TempDir()
			own, out := filepath.Join(folder, "own"), filepath.Join(folder, "out")
			_, stderr := start(t, c.program, "FUNCTRACE="+c.mode, "FUNCTRACE_OUT="+out, "FUNCTRACE_TEST_OWN="+own)
			want := "done\n"
			if c.message != "" {
				want = "functrace: " + c.message + out + lost + want
			} else if c.program == "replace 2" {
				want = ""
			}
			expect(t, stderr, want)
			expect(t, read(t, own), ownData)
			if c.program == "replace swapped" {
				expect(t, read(t, out), ownData)
			}
			if c.program == "replace" {
				expectWaves(t, c.mode, out)
			}
		})
	}
}

func TestReplacedStandardOutputIsNotWrittenTo(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own")
	stdout, stderr := start(t, "replace 1", "FUNCTRACE_TEST_OWN="+own)
	expect(t, stdout, "")
	expect(t, stderr, "functrace: cannot write: /dev/stdout: the program has closed or replaced its descriptor; tracing is off\n")
	expect(t, read(t, own), ownData)
}

func TestDaemonThatClosesAllDescriptorsIsTraced(t *testing.T) {
	here, _ := os.Getwd()
	folder, err := filepath.Rel(here, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"record", "text"} {
		path := filepath.Join(folder, mode)
		_, stderr := start(t, "close all", "FUNCTRACE="+mode, "FUNCTRACE_OUT="+path)
		expect(t, stderr, "done\n")
		expectWaves(t, mode, path)
	}
}

func TestDescriptorNumbersOfTheProgramAreUnchanged(t *testing.T) {
	_, plain := start(t, "lowest", "FUNCTRACE=off")
	for _, mode := range []string{"record", "text"} {
		_, traced := start(t, "lowest", "FUNCTRACE="+mode, "FUNCTRACE_OUT="+t.TempDir()+"/out")
		expect(t, traced, plain)
	}
}

// expectWaves looks for all calls of waves.
func expectWaves(t *testing.T, mode, path string) {
	t.Helper()
	const events = 2 * (1 + 4*replacedWaves)
	found := strings.Count(read(t, path), "\n")
	if mode == "record" {
		found = len(decode(t, path).main().events)
	}
	if found != events {
		t.Errorf("%d events of %d", found, events)
	}
}
