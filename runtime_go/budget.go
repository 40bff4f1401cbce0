//go:build trace && go1.21

package functrace

// The budget: which functions are demoted and promoted, and when; see docs/budget.md.

import "time"

// A demotion says what is recorded of a function.
type demotion int

const (
	promoted demotion = iota // its calls
	demoted                  // its failed calls
	silenced                 // nothing
)

// A budget keeps the recorder's share of the program's CPU time below a limit.
type budget struct {
	limit     float64 // share of the CPU time; 0 for none
	wordCost  float64 // seconds of CPU time that a word in a chunk of events costs
	tick      float64 // seconds
	functions []usage // by number
	last      instant // of the latest evaluation
	busyAt    time.Duration
	records   int // demotions and promotions in the trace

	// In the chunks that were counted since the latest evaluation.
	counted uint64  // words
	own     float64 // ticks between events, of all functions

	// change applies and records a demotion or promotion of a function, and reports whether it did.
	change func(number uint64, to demotion, callsPerSecond float64) bool
}

// An instant is a state of the process.
type instant struct {
	at    time.Duration // since the start
	cpu   time.Duration
	words uint64 // in the chunks of events
}

// A usage is what a function costs.
type usage struct {
	function *function

	// In the chunks that were counted since the latest evaluation.
	words, calls uint64
	own          float64 // ticks between events

	level     demotion
	changed   uint64 // ticks; what was recorded before no longer counts
	at        time.Duration
	demotions int
	cost      float64 // share of the CPU time, and calls a second, when it was demoted
	rate      float64
}

const (
	minInterval = 5 * time.Millisecond // of CPU time between evaluations
	idleShare   = 30                   // a program that uses less of a processor counts as using this part
	quietTime   = time.Second          // before something is promoted
	firstWait   = time.Second
	maxWait     = 10 * time.Minute
	target      = 0.8    // of the limit, for what changes are expected to lead to
	quiet       = 0.5    // of the limit, for promotions
	maxChanges  = 64     // in one evaluation
	maxRecords  = 10_000 // before promotions end
	minCounted  = 256    // words that a demotion is based on
	minWords    = 8      // of them of a function: fewer cost next to nothing
)

// evaluate demotes or promotes functions if enough CPU time has passed since it last did.
//
//go:norace
func (b *budget) evaluate(now instant) {
	if now.cpu-b.last.cpu < minInterval {
		return
	}
	cpu := max(now.cpu-b.last.cpu, (now.at-b.last.at)/idleShare).Seconds()
	share := float64(now.words-b.last.words) * b.wordCost / cpu
	switch {
	case share > b.limit:
		b.busyAt = now.at
		if b.counted < minCounted {
			return // it is not known what costs so much, so the interval goes on
		}
		b.demote(now, share, cpu)
	case share >= quiet*b.limit:
		b.busyAt = now.at
	case now.at-b.busyAt >= quietTime:
		b.promote(now, share)
	}
	b.last = now
	b.counted, b.own = 0, 0
	for i := range b.functions {
		u := &b.functions[i]
		u.words, u.calls, u.own = 0, 0, 0
	}
}

// demote demotes candidates, those with most words first, until the expected share is low enough.
//
//go:norace
func (b *budget) demote(now instant, share, cpu float64) {
	shareOfWord := share / float64(b.counted)
	sample := min(float64(b.counted)/float64(now.words-b.last.words), 1) // counted part of the interval
	// Between events a goroutine may also have waited: together, functions get no more than the CPU time.
	shareOfTick := b.tick / sample / cpu
	if b.own*shareOfTick > 1 {
		shareOfTick = 1 / b.own
	}
	for n := 0; n < maxChanges && share > target*b.limit; n++ {
		number := 0
		for i := range b.functions {
			u := &b.functions[i]
			isCandidate := u.level != silenced && u.words >= minWords && float64(u.words)*shareOfWord > b.limit*u.own*shareOfTick
			if isCandidate && u.words > b.functions[number].words {
				number = i
			}
		}
		u := &b.functions[number]
		if u.words == 0 {
			return
		}
		cost := float64(u.words) * shareOfWord
		rate := float64(u.calls) / sample / (now.at - b.last.at).Seconds()
		if b.changeAll(number, u.next(), now.at, cost, rate) {
			share -= cost
		}
		u.words = 0
	}
}

// next returns the next demotion of a function. Without errors there are no failures to record but panics,
// for which each exit would have to look.
//
//go:norace
func (u *usage) next() demotion {
	if u.level == promoted && u.function.returnsError {
		return demoted
	}
	return silenced
}

// changeAll changes all functions with the name and file of one: instances of a generic function have
// numbers of their own.
//
//go:norace
func (b *budget) changeAll(number int, to demotion, at time.Duration, cost, rate float64) (isChanged bool) {
	f := b.functions[number].function
	for i := 1; i < len(b.functions); i++ {
		u := &b.functions[i]
		isSame := u.function != nil && u.function.name == f.name && u.function.file == f.file
		if !isSame || u.level == to || !b.change(uint64(i), to, rate) {
			continue
		}
		u.level, u.at, u.changed = to, at, ticks()
		if to != promoted {
			u.demotions++
			u.cost, u.rate = cost, rate
		}
		b.records++
		isChanged = true
	}
	return isChanged
}

// promote promotes functions whose wait is over, cheapest first, as long as they are expected to fit.
//
//go:norace
func (b *budget) promote(now instant, share float64) {
	for n := 0; n < maxChanges && b.records < maxRecords; n++ {
		number, cheapest := 0, target*b.limit-share
		for i := range b.functions {
			u := &b.functions[i]
			if u.level == promoted || now.at-u.at < u.wait() {
				continue
			}
			if cost := u.expectedCost(now.at); cost <= cheapest {
				number, cheapest = i, cost
			}
		}
		u := &b.functions[number]
		if number == 0 || !b.changeAll(number, promoted, now.at, u.cost, u.rate) {
			return
		}
		share += cheapest
		b.busyAt = now.at // its cost is measured before others follow
	}
}

// wait returns how long the function stays demoted.
//
//go:norace
func (u *usage) wait() time.Duration {
	if u.demotions > 10 {
		return maxWait
	}
	return min(firstWait<<max(u.demotions-1, 0), maxWait)
}

// expectedCost returns the function's share of the CPU time if it were promoted: the last known one, which
// counts half as much for each wait that has passed.
//
//go:norace
func (u *usage) expectedCost(at time.Duration) float64 {
	cost := u.cost
	for waits := (at - u.at) / u.wait(); waits > 0 && cost > 1e-9; waits-- {
		cost /= 2
	}
	return cost
}

// add makes room for the usage of another function.
//
//go:norace
func (b *budget) add(f *function, number uint64) {
	if int(number) >= len(b.functions) {
		larger := make([]usage, 2*number+64)
		//lint:ignore S1001 the race detector sees what copy does
		for i := range b.functions {
			larger[i] = b.functions[i]
		}
		b.functions = larger
	}
	b.functions[number].function = f
}
