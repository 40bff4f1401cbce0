//go:build trace && unix

package functrace_test

import (
	"bytes"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Goroutines that call until the program is killed, the main one included. Each counts its calls,
// before and after, in a file of the test's own: what it says is independent of the recorder.
const (
	countingGoroutines = 4
	countersPath       = "FUNCTRACE_TEST_COUNTERS"
)

type counters struct{ goroutine, begun, done uint64 }

func init() {
	programs["count"] = func() {
		all := mapCounters(os.Getenv(countersPath))
		for i := 1; i < countingGoroutines; i++ {
			go all[i].count()
		}
		all[0].count()
	}
}

func mapCounters(path string) *[countingGoroutines]counters {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	size := int(unsafe.Sizeof([countingGoroutines]counters{}))
	if err := file.Truncate(int64(size)); err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*[countingGoroutines]counters)(unsafe.Pointer(&memory[0]))
}

// count makes calls whose depth depends on their number, so that a trace that has only the latest
// calls still shows which they are.
func (c *counters) count() {
	atomic.StoreUint64(&c.goroutine, currentGoroutine())
	for n := uint64(1); ; n++ {
		atomic.StoreUint64(&c.begun, n)
		deep(depthOfCall(n))
		atomic.StoreUint64(&c.done, n)
	}
}

func depthOfCall(n uint64) int { return int(n%5) + 1 }

func currentGoroutine() uint64 {
	var text [64]byte
	fields := bytes.Fields(text[:runtime.Stack(text[:], false)])
	id, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return id
}

func TestCallsBeforeAKillAreInTheTrace(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("FUNCTRACE_TEST_KILLS"))
	if err != nil {
		kills = 2
	}
	random := rand.New(rand.NewSource(time.Now().UnixNano()))
	// A file that wraps around within the time slice of a thread is too small to overwrite.
	for full, limits := range map[string]struct {
		size  string
		calls int
	}{"stop": {"1G", 20_000}, "overwrite": {"16M", 600_000}} {
		for i := 0; i < kills; i++ {
			killAfter(t, uint64(random.Intn(limits.calls)), full, limits.size)
		}
	}
}

// killAfter kills the program when it has made that many calls.
func killAfter(t *testing.T, calls uint64, full, size string) {
	t.Helper()
	folder := t.TempDir()
	all := mapCounters(filepath.Join(folder, "counters"))
	path := filepath.Join(folder, "x.ftrace")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=count", countersPath+"="+filepath.Join(folder, "counters"),
		"FUNCTRACE=record", "FUNCTRACE_MAX_SIZE="+size, "FUNCTRACE_FULL="+full, "FUNCTRACE_OUT="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for atomic.LoadUint64(&all[0].done)*countingGoroutines < calls {
		runtime.Gosched()
	}
	cmd.Process.Kill()
	cmd.Wait()
	if _, err := os.Stat(path); err != nil && all[0].begun == 0 {
		return // it was killed before it had begun
	}
	trace := decode(t, path)
	kept := 0
	for i := range all {
		kept += all[i].compare(t, trace, full)
	}
	if done := all[0].done; kept == 0 && done > 10 {
		t.Errorf("%s: no call is in the trace of %d", full, done)
	}
}

// compare expects every call of a goroutine that was over, and none that had not begun. It returns
// how many it has found. Where old calls are overwritten, a goroutine that has waited has none.
func (c *counters) compare(t *testing.T, trace *decoded, full string) int {
	t.Helper()
	var depths []int
	if track := trace.tracks[c.goroutine]; track != nil {
		depths = finishedDepths(track.events, full == "overwrite")
	}
	if full == "overwrite" && len(depths) == 0 {
		return 0
	}
	for i := 1; i < len(depths); i++ {
		if depths[i] != depths[i-1]%5+1 {
			t.Fatalf("%s: call %d of %d is missing", full, i, len(depths))
		}
	}
	found := uint64(len(depths))
	if full == "overwrite" {
		for found = c.done; found <= c.begun && depthOfCall(found) != depths[len(depths)-1]; {
			found++
		}
	}
	if found < c.done || found > c.begun {
		t.Errorf("%s: %d calls had begun and %d were over, the trace has %d", full, c.begun, c.done, found)
	}
	return len(depths)
}

// finishedDepths returns the depths of the outermost calls that are over. The first that it finds
// may lack its beginning if old calls are overwritten.
func finishedDepths(events []event, isCut bool) (depths []int) {
	entries, exits := 0, 0
	for _, e := range events {
		switch {
		case e.kind == "->" && exits > 0:
			entries, exits = 1, 0
		case e.kind == "->":
			entries++
		case e.kind == "<-":
			exits++
		}
		if exits > 0 && exits == entries {
			depths = append(depths, entries)
		}
	}
	if isCut && len(depths) > 0 {
		depths = depths[1:]
	}
	return depths
}
