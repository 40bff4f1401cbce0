//go:build trace && !race

package functrace_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func init() {
	programs["resident"] = func() {
		before := residentFile()
		residentCalls()
		fmt.Fprint(os.Stderr, residentFile()-before)
	}
}

// residentFile returns how many bytes of files are in the process's memory.
func residentFile() int {
	statm, _ := os.ReadFile("/proc/self/statm")
	var size, resident, shared int
	fmt.Sscan(string(statm), &size, &resident, &shared)
	return shared * os.Getpagesize()
}

// residentCalls records 92 MB, a fifth of it by 24 goroutines that take turns with another one, so
// that each of their chunks is filled long after its segment has been left.
func residentCalls() {
	turns := make([]chan bool, 24)
	for i := range turns {
		turns[i] = make(chan bool)
		go func(turn chan bool) {
			for range turn {
				manyD(100)
				turn <- true
			}
		}(turns[i])
	}
	for n := 0; n < 480; n++ {
		manyD(9600)
		for _, turn := range turns {
			turn <- true
			<-turn
		}
	}
}

func manyD(n int) {
	for ; n > 0; n-- {
		d()
	}
}

func TestTraceDoesNotStayInMemory(t *testing.T) {
	for _, full := range []string{"stop", "overwrite"} {
		folder := t.TempDir()
		_, stderr := start(t, "resident", "FUNCTRACE=record", "FUNCTRACE_OUT="+folder, "FUNCTRACE_FULL="+full,
			"FUNCTRACE_MAX_SIZE="+map[string]string{"stop": "1G", "overwrite": "32M"}[full])
		var bytes int
		if _, err := fmt.Sscan(strings.TrimSpace(stderr), &bytes); err != nil || bytes > 12<<20 {
			t.Errorf("%s: %q", full, stderr)
		}
	}
}
