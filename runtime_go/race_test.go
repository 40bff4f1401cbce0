//go:build trace && race

package functrace_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Tracing must not order goroutines that the program leaves unordered.
func TestRacesOfTheProgramAreStillFound(t *testing.T) {
	_, errs := start(t, "racing", "FUNCTRACE_OUT=/dev/null")
	if !strings.Contains(errs, "DATA RACE") {
		t.Errorf("no race is reported: %q", errs)
	}
}

// Recording an error must not be reported as a race.
func TestErrorsCauseNoRace(t *testing.T) {
	_, _, errs := record(t, "guarded")
	expect(t, errs, "")
}

func init() {
	programs["racing"] = racing
	programs["guarded"] = guarded
}

// guarded has an error changed under a lock while others, which do not look at it, return it on
// goroutines that follow each other.
func guarded() {
	m := &mutable{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := 0; i < 1000; i++ {
		all.Add(2)
		go func() { defer all.Done(); failWith(m) }()
		go func() {
			defer all.Done()
			mu.Lock()
			defer mu.Unlock()
			m.text, m.err, m.next = m.text+"x", &failure{"x"}, &mutable{err: m.err}
			m.items = append(m.items, m.err)
			failWith(m.next)
		}()
	}
	all.Wait()
}

var shared, turn int

// racing writes shared on two goroutines, one after the other by means that the
// race detector does not see. What both call between is called for the first time.
func racing() {
	ended := make(chan bool)
	go func() { shared = 1; d(); setTurn(1); ended <- true }()
	go func() { awaitTurn(1); d(); shared = 2; ended <- true }()
	<-ended
	<-ended
}

//go:norace
func setTurn(n int) { turn = n }

//go:norace
func awaitTurn(n int) {
	for turn < n {
		runtime.Gosched()
	}
}

// Two unsynchronized goroutines map parts of the file.
func TestMappingCausesNoRace(t *testing.T) {
	_, _, errs := record(t, "growing")
	expect(t, errs, "")
}

func init() { programs["growing"] = growing }

func growing() {
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() { defer all.Done(); waves(20_000) }()
	}
	all.Wait()
}
