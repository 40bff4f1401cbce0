//go:build trace && go1.21

package functrace

// Demoted functions: what replaces the recording of their calls, and the trace's records of changes.

import (
	"math"
	"runtime"
	"time"
)

// startBudget starts to keep the recorder's cost below the budget, if there is one.
func (r *recorder) startBudget(c *config) {
	r.evaluateAt.Store(math.MaxUint64)
	if c.budget == 0 {
		return
	}
	r.budget = budget{
		limit:    float64(c.budget) / 1e6,
		wordCost: measureEvent().Seconds(),
		tick:     1 / float64(ticksPerSecond),
		last:     instant{at: time.Since(startTime), cpu: cpuTime()},
		change:   r.change,
	}
	r.evaluateAt.Store(ticks() + toTicks(evaluationInterval))
	runtime.SetFinalizer(&collection{r}, (*collection).hasEnded)
}

// Evaluations happen where chunks are full. But a program may call demoted functions alone: so there is also
// one when this time has passed and the fast path is left, and one after each garbage collection.
const evaluationInterval = 100 * time.Millisecond

// A collection is garbage, so that the Go runtime finalizes it when it has collected garbage.
type collection struct{ recorder *recorder }

//go:norace
func (c *collection) hasEnded() {
	if c.recorder.evaluate() {
		runtime.SetFinalizer(c, (*collection).hasEnded)
	}
}

// evaluate evaluates the budget unless recording has ended.
//
//go:norace
func (r *recorder) evaluate() bool {
	disableRaceDetector()
	defer enableRaceDetector()
	r.mu.Lock()
	defer r.unlock()
	r.evaluateBudget()
	return r.budget.limit != 0 && r.failure == nil
}

// evaluateBudget evaluates the budget, if there is one, while r.mu is held.
//
//go:norace
func (r *recorder) evaluateBudget() {
	if r.budget.limit == 0 || r.failure != nil || off.Load() {
		return
	}
	r.evaluateAt.Store(ticks() + toTicks(evaluationInterval))
	now := instant{at: time.Since(startTime), cpu: cpuTime()}
	for _, w := range r.allWriters() {
		now.words += w.filled + uint64(w.used)
	}
	r.budget.evaluate(now)
}

// The cost of an event is that of reading the clock times a factor, which accounts for the code around it and
// for what the stores do to the processor's caches, and at least a minimum, for clocks that are
// read out of order.
const (
	costInClockReadings = 3
	minEventCost        = 15 * time.Nanosecond
)

// measureEvent returns the CPU time that an entry or exit is taken to cost.
func measureEvent() time.Duration {
	const readings = 200
	fastest := time.Duration(math.MaxInt64)
	for i := 0; i < 5; i++ {
		begin := time.Now()
		for j := 0; j < readings; j++ {
			ticks()
		}
		fastest = min(fastest, time.Since(begin))
	}
	cost := max(fastest*costInClockReadings/readings, minEventCost)
	if !fast {
		begin := time.Now()
		goroutineID()
		callSiteByCallers()
		cost += time.Since(begin)
	}
	return cost
}

// change records that a function is demoted or promoted, and makes it so. What ends with the exit of
// main.main is not demoted, nor are requests.
//
//go:norace
func (r *recorder) change(number uint64, to demotion, callsPerSecond float64) bool {
	if number == r.main || r.budget.functions[number].function.request.direction != 0 {
		return false
	}
	value := [...]int{promoted: 0, demoted: isDemoted, silenced: isDemoted | isSilenced}[to]
	rate := uint64(min(callsPerSecond, math.MaxUint32))
	if !r.putFact(demotionRecord, value, []uint64{ticks(), number | rate<<32}, "") {
		return false
	}
	r.budget.functions[number].function.change(to)
	return true
}

// change makes calls of the function that begin from now on be recorded accordingly.
//
//go:norace
func (f *function) change(to demotion) {
	switch to {
	case promoted:
		f.match.Store(f.pc)
		return
	case demoted:
		f.absent.Store(&track{absent: f, exit: doNothing})
	case silenced:
		f.absent.Store(&silence)
	}
	f.match.Store(^f.pc)
}

//go:norace
func (f *function) isDemoted() bool { return f.match.Load() != f.pc }

// silence is the track of calls of which nothing is recorded.
var silence = track{absent: &function{}, exit: doNothing}

// leaveAbsent records the exit of a call of a demoted function if a panic ends it.
//
//go:norace
func (t *track) leaveAbsent() {
	if _, _, panicking := state(); t == &silence || panicking == 0 || !findsPanics() {
		return
	}
	if name := unwinding(); name == "runtime.gopanic" || name == "runtime.Goexit" {
		t.recordFailure(nil)
	}
}

// recordFailure records a call of a demoted function that ends with err, a panic or Goexit. Only the time of its end
// is known.
//
//go:norace
func (t *track) recordFailure(err error) {
	if off.Load() || t == &silence {
		return
	}
	own := currentTrack()
	disableRaceDetector()
	now := ticks()
	open := own.depth
	if own.record(t.absent, now) {
		if err != nil {
			own.pendingError = err
		}
		own.recordExit(now)
	}
	enableRaceDetector()
	if open == 0 && !fast {
		releaseTrack(own)
	}
}
