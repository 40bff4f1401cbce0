//go:build trace

package functrace

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// A workload runs a budget on a clock of its own: one processor, whose time is all used.
type workload struct {
	*budget
	now     instant
	changes []string
}

const testCost = 20 * time.Nanosecond // of a word

func newLoad(names ...string) *workload {
	l := &workload{budget: &budget{limit: 0.03, wordCost: testCost.Seconds(), tick: 1e-9}}
	l.change = func(number uint64, to demotion, rate float64) bool {
		l.changes = append(l.changes, fmt.Sprintf("%s %d", l.functions[number].function.name, to))
		return true
	}
	for i, name := range names {
		l.add(&function{name: name, file: "x.go", returnsError: true}, uint64(i+1))
	}
	return l
}

// A rate is how often a function is called in a second, and what a call takes for itself.
type rate struct {
	calls int
	own   time.Duration
}

// pass lets time pass, with such calls of the functions as far as they are not demoted, and evaluates.
func (l *workload) pass(d time.Duration, rates ...rate) []string {
	l.changes = nil
	for i, r := range rates {
		u := &l.functions[i+1]
		if u.level != promoted {
			continue
		}
		calls := float64(r.calls) * d.Seconds()
		u.words += uint64(2 * calls)
		u.calls += uint64(calls)
		u.own += calls * float64(r.own)
		l.own += calls * float64(r.own)
		l.counted += uint64(2 * calls)
		l.now.words += uint64(2 * calls)
	}
	l.now.at += d
	l.now.cpu += d
	l.evaluate(l.now)
	return l.changes
}

func (l *workload) expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("after %v: %v, not %v", l.now.at, got, want)
	}
}

func TestTheMostCalledSmallFunctionsAreDemoted(t *testing.T) {
	l := newLoad("tiny", "small", "large")
	rates := []rate{{5_000_000, 50}, {500_000, 200}, {100_000, 5 * time.Microsecond}}
	l.expect(t, l.pass(4*time.Millisecond, rates...)) // too early
	l.expect(t, l.pass(time.Millisecond, rates...), "tiny 1")
	l.expect(t, l.pass(5*time.Millisecond, rates...)) // 0.024 of the time
}

func TestWithinTheBudgetNothingIsDemoted(t *testing.T) {
	l := newLoad("tiny")
	for i := 0; i < 100; i++ {
		l.expect(t, l.pass(10*time.Millisecond, rate{700_000, 10}))
	}
}

// All functions together cost more than the budget, but each does enough for its cost.
func TestFunctionsThatDoMuchStay(t *testing.T) {
	l := newLoad("a", "b")
	l.expect(t, l.pass(10*time.Millisecond, rate{400_000, 1500}, rate{400_000, 1500}), "a 1")
	l = newLoad("a", "b")
	l.limit = 0.02
	l.expect(t, l.pass(10*time.Millisecond, rate{250_000, 2010}, rate{250_000, 2010}))
}

// A function that is called a few times is no part of what costs too much.
func TestRareFunctionsStay(t *testing.T) {
	l := newLoad("tiny", "rare")
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 200}, rate{300, 0}), "tiny 1")
}

// Time that a goroutine waits must not hide that calls cost too much.
func TestTimesAreNoMoreThanTheCPUTime(t *testing.T) {
	l := newLoad("waits")
	l.expect(t, l.pass(10*time.Millisecond, rate{1_000_000, 100 * time.Microsecond}), "waits 1")
}

func TestInstancesAreDemotedTogether(t *testing.T) {
	l := newLoad("f[...]", "g", "f[...]")
	l.functions[2].function.file = "y.go"
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "f[...] 1", "f[...] 1")
	l = newLoad("f", "f")
	l.functions[2].function.file = "y.go"
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "f 1")
}

// They have no failures to record, but panics, for which each of their exits would have to look.
func TestFunctionsWithoutErrorsAreSilencedAtOnce(t *testing.T) {
	l := newLoad("tiny")
	l.functions[1].function.returnsError = false
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "tiny 2")
}

// The failures of a demoted function alone may cost too much.
func TestFailuresAreSilenced(t *testing.T) {
	l := newLoad("fails")
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "fails 1")
	l.functions[1].words, l.counted = 50_000, 50_000
	l.now.words += 50_000
	l.expect(t, l.pass(10*time.Millisecond), "fails 2")
	l.functions[1].words, l.counted = 50_000, 50_000
	l.now.words += 50_000
	l.expect(t, l.pass(10*time.Millisecond))
}

// A function that still costs too much is tried more and more rarely.
func TestWaitsGrow(t *testing.T) {
	l := newLoad("tiny")
	var promotions []time.Duration
	last := time.Duration(0)
	for l.now.at < 4*time.Hour {
		for _, change := range l.pass(100*time.Millisecond, rate{3_000_000, 10}) {
			if change == "tiny 0" {
				promotions = append(promotions, l.now.at-last)
			} else {
				last = l.now.at
			}
		}
	}
	for i := 1; i < len(promotions); i++ {
		if promotions[i] < promotions[i-1] || i < 8 && promotions[i] < 2*promotions[i-1] {
			t.Errorf("waits: %v", promotions)
			break
		}
	}
	if n := len(promotions); n < 8 || promotions[0] < firstWait || promotions[n-1] > 3*maxWait {
		t.Errorf("waits: %v", promotions)
	}
}

func TestPromotionOfTheCheapest(t *testing.T) {
	l := newLoad("tiny", "small")
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}, rate{1_100_000, 10}), "tiny 1", "small 1")
	var changes []string
	for len(changes) == 0 && l.now.at < time.Minute {
		changes = l.pass(100*time.Millisecond, rate{0, 0}, rate{0, 0})
	}
	l.expect(t, changes, "small 0")
	if l.now.at < firstWait {
		t.Errorf("after %v", l.now.at)
	}
}

// While the program is busy with other calls, nothing is promoted.
func TestNoPromotionAboveHalfOfTheBudget(t *testing.T) {
	l := newLoad("tiny", "other")
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "tiny 1")
	for l.now.at < time.Minute {
		l.expect(t, l.pass(100*time.Millisecond, rate{}, rate{400_000, 10}))
	}
}

func TestPromotionsEnd(t *testing.T) {
	l := newLoad("tiny")
	l.records = maxRecords - 1
	l.expect(t, l.pass(10*time.Millisecond, rate{5_000_000, 10}), "tiny 1")
	for l.now.at < time.Hour {
		l.expect(t, l.pass(time.Second))
	}
}

func TestCensus(t *testing.T) {
	l := newLoad("outer", "inner", "other")
	word := func(at, number, kind uint64) uint64 { return at<<timeShift | number<<functionShift | kind }
	words := []uint64{
		chunkMagic | eventsChunk<<32, 0, 7, 1, 1000,
		recordHead(switchRecord, 8, 0), 1,
		word(10, 1, entryWord),
		word(15, 2, entryWord),
		recordHead(errorRecord, 9, 0), 0, 0,
		word(18, 2, exitWord),
		word(30, 1, exitWord),
		word(90, 2, entryWord), // in a call that is not known
		recordHead(switchRecord, 8, 0), 2,
		word(100, 3, exitWord),
		recordHead(baseRecord, 8, 0), 5000,
		word(7, 3, exitWord),
		0,
		word(9, 3, exitWord),
	}
	l.count(&chunk{words: words, sequence: 7})
	got := [][3]uint64{}
	for _, u := range l.functions[1:4] {
		got = append(got, [3]uint64{u.words, u.calls, uint64(u.own)})
	}
	want := [][3]uint64{{2 + 2, 1, 5 + 12}, {3 + 3, 2, 3}, {2 + 2 + 2, 0, 5007 - 1100}}
	if !reflect.DeepEqual(got, want) || l.counted != 16 || l.own != 5+12+3+3907 {
		t.Errorf("%v, %d words, %v ticks", got, l.counted, l.own)
	}
	l.count(&chunk{words: words, sequence: 8})
	if l.counted != 16 {
		t.Error("an overwritten chunk is counted")
	}
}

func TestCensusOfDeepCalls(t *testing.T) {
	var c innermostCalls
	for i := uint64(1); i <= 100; i++ {
		c.push(i)
	}
	for i := uint64(100); i > 0; i-- {
		want := i
		if i <= 100-uint64(len(c.numbers)) {
			want = 0
		}
		if got := c.innermost(); got != want {
			t.Fatalf("%d, not %d", got, want)
		}
		c.pop()
	}
}
