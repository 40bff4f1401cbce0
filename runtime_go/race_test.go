//go:build trace && race

package functrace_test

import (
	"runtime"
	"strings"
	"testing"
)

// Tracing must not order goroutines that the program leaves unordered.
func TestRacesOfTheProgramAreStillFound(t *testing.T) {
	_, errs := start(t, "racing", "FUNCTRACE_OUT=/dev/null")
	if !strings.Contains(errs, "DATA RACE") {
		t.Errorf("no race is reported: %q", errs)
	}
}

func init() { programs["racing"] = racing }

var shared, turn int

// racing writes shared on two goroutines, one after the other by means that the
// race detector does not see. What both call between is called for the first time.
func racing() {
	ended := make(chan bool)
	go func() { shared = 1; d(); takeTurn(1); ended <- true }()
	go func() { awaitTurn(1); d(); shared = 2; ended <- true }()
	<-ended
	<-ended
}

//go:norace
func takeTurn(n int) { turn = n }

//go:norace
func awaitTurn(n int) {
	for turn < n {
		runtime.Gosched()
	}
}
