//go:build !trace

package functrace

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTraceIsInlinedAway(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Skipf("no go command to ask: %v", err)
	}
	for _, want := range []string{"can inline Trace", "can inline doNothing"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the compiler does not say %q:\n%s", want, out)
		}
	}
}

func TestTraceAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(1000, func() { defer Trace()() }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
