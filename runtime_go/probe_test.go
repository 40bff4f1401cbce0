//go:build trace && !functrace_safe && (amd64 || arm64)

package functrace

import "testing"

// A Go version on which the fast probe is not used is no failure for a user, but
// it is one for us.
func TestFastProbeIsInUse(t *testing.T) {
	if !fast {
		t.Error("state or callSite disagrees with runtime.Stack or runtime.Callers")
	}
}

func TestStateReturnsGoroutineID(t *testing.T) {
	for i := 0; i < 100; i++ {
		same := onNewGoroutine(func() bool { _, id, _ := state(); return id == goroutineID() })
		if !same {
			t.Fatal("another id than runtime.Stack tells")
		}
	}
}

func TestUnfitOffsetFallsBack(t *testing.T) {
	defer initProbe()
	fast = false
	if got := offsetsOfID([]uintptr{0, 8}); len(got) != 0 {
		t.Errorf("the stack's bounds pass for an id at %v", got)
	}
}
