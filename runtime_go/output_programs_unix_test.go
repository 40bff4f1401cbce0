//go:build trace && unix

package functrace_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func init() {
	programs["speak"] = func() { fmt.Println("first"); a(); fmt.Println("last") }
}

// A file opened by such a path would have a separate offset from the program's standard output.
func TestPathsOfStreams(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	os.Symlink("/dev/stdout", link)
	os.Symlink("link", link+"-to-link")
	want := "first\n" + chain + "last\n"
	for _, out := range []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/proc/%p/fd/1", link, link + "-to-link"} {
		stdout, others := runWithStreams(t, out)
		expect(t, stdout, want)
		expect(t, others, "")
	}
	stdout, others := runWithStreams(t, "/dev/stderr")
	expect(t, stdout, "first\nlast\n")
	expect(t, others, chain)
	stdout, others = runWithStreams(t, "/dev/fd/3")
	expect(t, stdout, "first\nlast\n")
	expect(t, others, chain)
}

func TestClosedDescriptor(t *testing.T) {
	stdout, stderr := start(t, "speak", "FUNCTRACE_OUT=/dev/fd/77")
	expect(t, stdout, "first\nlast\n")
	expect(t, stderr, "functrace: FUNCTRACE_OUT: descriptor 77 is not open; tracing is off\n")
}

// speak runs the program with its standard output in a file, and with standard error and
// descriptor 3 in another.
func runWithStreams(t *testing.T, out string) (stdout, others string) {
	t.Helper()
	folder := t.TempDir()
	var files [2]*os.File
	for i := range files {
		file, err := os.Create(fmt.Sprint(folder, "/", i))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		files[i] = file
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "FUNCTRACE_TEST_PROGRAM=speak", "FUNCTRACE_OUT="+out)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = files[0], files[1], files[1:]
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return read(t, files[0].Name()), read(t, files[1].Name())
}

func TestMissingFoldersAreCreated(t *testing.T) {
	for _, out := range []string{"a/b/out", "a/c/"} {
		folder := t.TempDir()
		_, stderr := start(t, "chain", "FUNCTRACE=record", "FUNCTRACE_OUT="+folder+"/"+out)
		expect(t, stderr, "")
		found, _ := filepath.Glob(folder + "/a/[bc]/*")
		if len(found) != 1 {
			t.Fatal(found)
		}
		expect(t, decode(t, found[0]).main().String(), recordedChain)
	}
	path := filepath.Join(t.TempDir(), "a/b/out")
	start(t, "chain", "FUNCTRACE_OUT="+path)
	expect(t, read(t, path), chain)
}
