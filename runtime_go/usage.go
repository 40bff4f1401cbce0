//go:build trace && go1.21

package functrace

// Counting of what functions cost, from the chunks that they filled.

import "sync/atomic"

const (
	maxCounted = 1 << 16 // words between two evaluations, a sample if there are more
	maxGap     = 1e-3    // seconds between two events that count as a function's own: the rest is likely waiting
)

// A census counts the words of a chunk.
type census struct {
	budget *budget
	base   uint64 // ticks
	calls  innermostCalls
	last   uint64 // ticks of the event before in the run; 0 if there is none
	extra  uint64 // words of the records before the next event
}

// count counts the words of a chunk that its writer has left. Threads may write to other chunks meanwhile.
//
//go:norace
func (b *budget) count(c *chunk) {
	isIntact := atomic.LoadUint64(&c.words[0]) == chunkMagic|eventsChunk<<32 && c.words[2] == c.sequence
	if b.limit == 0 || b.counted >= maxCounted || !isIntact {
		return
	}
	s := census{budget: b, base: c.words[4]}
	for at := chunkHead / 8; at < len(c.words) && c.words[at] != 0; {
		word := c.words[at]
		if word&3 != recordWord {
			s.event(word)
			at++
			continue
		}
		size := wordsFor(int(word >> 8 & 0xFFFF))
		if at+1 < len(c.words) {
			s.record(word, c.words[at+1])
		}
		s.extra += uint64(size)
		at += size
	}
}

// record counts a record with that first word of its payload.
//
//go:norace
func (s *census) record(word, payload uint64) {
	switch kind := word >> 2 & 63; {
	case kind == baseRecord:
		s.base = payload
	case kind == switchRecord, kind == trackRecord && word>>recordValueShift&isAgain == 0:
		s.calls.known, s.last = 0, 0
	}
}

// event counts an entry or exit. The time since the event before is that of the innermost call.
//
//go:norace
func (s *census) event(word uint64) {
	number := word >> functionShift & maxFunctions
	now := s.base + word>>timeShift
	if number >= uint64(len(s.budget.functions)) {
		return
	}
	isEntry := word&3 == entryWord
	innermost := s.calls.innermost()
	if innermost == 0 && !isEntry {
		innermost = number
	}
	if s.last != 0 && innermost != 0 && now > s.last {
		own := min(float64(now-s.last), maxGap/s.budget.tick)
		s.budget.functions[innermost].own += own
		s.budget.own += own
	}
	s.last = now
	if u := &s.budget.functions[number]; now > u.changed {
		u.words += 1 + s.extra
		if isEntry {
			u.calls++
		}
	}
	s.budget.counted += 1 + s.extra
	s.extra = 0
	if isEntry {
		s.calls.push(number)
	} else {
		s.calls.pop()
	}
}

// innermostCalls are the innermost of the calls that are known to be open in a run, by function number.
type innermostCalls struct {
	numbers [64]uint64 // a ring
	top     uint
	known   int
}

//go:norace
func (c *innermostCalls) push(number uint64) {
	c.top++
	c.numbers[c.top%uint(len(c.numbers))] = number
	c.known = min(c.known+1, len(c.numbers))
}

//go:norace
func (c *innermostCalls) pop() {
	c.top--
	c.known = max(c.known-1, 0)
}

// innermost returns 0 if the innermost call is not known.
//
//go:norace
func (c *innermostCalls) innermost() uint64 {
	if c.known == 0 {
		return 0
	}
	return c.numbers[c.top%uint(len(c.numbers))]
}
