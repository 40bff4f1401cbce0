package calls

import (
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

// A Track is a goroutine, a thread or a task.
type Track struct {
	ID     uint64
	Kind   uint64 // 1 goroutine, 2 thread, 3 task
	Name   string
	Start  int64 // ticks after the trace's start
	Origin *Call // the call of another track in which its chain goes on

	calls       *Calls
	ids         ids.Track
	isDescribed bool
	parentID    uint64
	parent      *Track
	starter     int // the number of the function that started it
	isSettled   bool
	generation  int // how many tracks its chain goes through, about
	children    []*Track

	pieces    []pending
	open      []*Call
	functions map[int32]*functionState
	time      int64
	waited    int64 // how long it was suspended
	suspended bool
	failure   Failure // of the call whose exit comes next

	reopening bool // a chunk has begun, and no event of it has come
	reopened  int  // calls of which it said that they are open
	expected  int  // how many it says are open
	hidden    int  // open calls whose entries were overwritten and that are not listed
	outside   int  // calls around the hidden ones
	idleSince int  // which turn it was when the track last became idle; 0: it is not
}

// A functionState is what is known of a function on a track.
type functionState struct {
	open *Call // the innermost
	last *Call // the one begun last
}

// pending words are those of a piece from a place on.
type pending struct {
	follow.Piece
	at      int
	isBegun bool
}

// isBefore orders tracks by their beginnings.
func (t *Track) isBefore(other *Track) bool {
	return t.Start < other.Start || t.Start == other.Start && t.ID < other.ID
}

// describe notes what a piece says of the track. A record that comes again lets it go on.
func (t *Track) describe(piece *follow.Piece) {
	t.idleSince = 0
	if record := piece.Record; record != nil && !t.isDescribed {
		t.isDescribed = true
		t.Name, t.parentID, t.starter, t.Start = record.Name, record.Parent, record.Starter, record.Start
		if record.Kind <= 3 {
			t.Kind = record.Kind
		}
	}
	if !t.isDescribed {
		t.Start = min(t.Start, piece.First)
	}
}

// run goes through the track's words up to a time; it reports whether more are left.
func (t *Track) run(until int64) bool {
	for i := range t.pieces {
		piece := &t.pieces[i]
		if !piece.isBegun && (piece.Begins || piece.Record != nil) {
			t.settleOpen()
			t.reopening, t.reopened, t.expected = piece.Begins, 0, piece.Open
		}
		piece.isBegun = true
		if !t.runPiece(piece, until) {
			t.pieces = append(t.pieces[:0], t.pieces[i:]...)
			return true
		}
	}
	t.pieces = nil
	if len(t.open) == 0 {
		t.calls.forget(t.calls.idle.add(t))
	}
	return false
}

func (t *Track) runPiece(p *pending, until int64) bool {
	for p.at < len(p.Words) {
		word := format.WordAt(p.Words[p.at:])
		size := 8
		switch word.Kind() {
		case format.Entry, format.Exit:
			if t.since(p.Base+word.Ticks()) > until {
				return false
			}
			t.settleOpen()
			t.event(word, p.Base+word.Ticks())
		case format.Record:
			size = word.Size()
			isTimed := word.Type() == format.Suspended || word.Type() == format.Resumed
			if isTimed && t.since(p.Base+word.Value()) > until {
				return false
			}
			t.record(p, word, p.Words[p.at+8:p.at+8+word.Bytes()])
		}
		p.at += size
	}
	return true
}

func (t *Track) since(ticks uint64) int64 { return format.Since(ticks, t.calls.start) }

func (t *Track) record(p *pending, word format.Word, payload []byte) {
	switch kind := word.Type(); {
	case kind == format.Base && len(payload) >= 8:
		p.Base = uint64(format.WordAt(payload))
	case kind == format.Error || kind == format.Panic:
		t.settleOpen()
		t.fail(kind, word.Value(), payload)
	case kind == format.Open && t.reopening && len(payload) >= format.OpenBytes:
		t.reopen(uint64(format.WordAt(payload)), uint64(format.WordAt(payload[8:])))
	case kind == format.Lost:
		t.suspended = false
	case kind == format.Suspended || kind == format.Resumed:
		t.settleOpen()
		t.moveTime(p.Base + word.Value())
		t.suspended = kind == format.Suspended
	}
}

func (t *Track) event(word format.Word, ticks uint64) {
	function := t.calls.facts.Index(word.Number())
	time := t.moveTime(ticks)
	if word.Kind() == format.Entry {
		if function >= 0 {
			t.push(function, time)
		}
		return
	}
	if function >= 0 {
		t.exit(function, time)
	}
	t.failure = Failure{}
}

func (t *Track) fail(kind int, value uint64, text []byte) {
	f := &t.failure
	switch {
	case kind == format.Error:
		f.Error = true
	case value == format.IsGoexit:
		f.Goexit = true
	default:
		f.Panic = true
	}
	f.Cut = f.Cut || value == format.IsCut
	f.Text = format.Text(text)
}

func (t *Track) passTime(until int64) {
	if t.suspended {
		t.waited += until - t.time
	}
	t.time = until
}

// moveTime has the track do something at that time: it runs. One suspended once more says so
// after this.
func (t *Track) moveTime(ticks uint64) int64 {
	t.passTime(max(t.since(ticks), t.time))
	t.suspended = false
	t.placeChildren(t.time)
	return t.time
}

func (t *Track) exit(function int32, time int64) {
	state := t.functions[function]
	if t.hidden > 0 && (state == nil || state.open == nil || state.open.level < t.outside) {
		t.abandon(t.outside, time)
		t.hidden--
		return
	}
	if state == nil || state.open == nil {
		return
	}
	t.abandon(state.open.level+1, time)
	t.pop(time, t.failure)
}

// reopen is told of a call that is open where the chunk begins: it is known already, or the
// track's calls are not these.
func (t *Track) reopen(ticks, number uint64) {
	function := int32(-1)
	if number < format.Functions {
		function = t.calls.facts.Index(int(number))
	}
	if function < 0 {
		return
	}
	start, index := t.since(ticks), t.reopened
	t.reopened++
	if t.hidden > 0 && index >= t.outside {
		t.abandon(t.outside, t.time)
		t.hidden = 0
	}
	if index < len(t.open) && t.open[index].Function == function && t.open[index].Start == start {
		return
	}
	t.abandon(index, t.time)
	start = max(start, t.time) // it did not begin before what happened outside of it
	t.placeChildren(start)
	t.passTime(start)
	t.push(function, start)
}

// settleOpen has those calls open that the chunk says are, where its first event comes.
func (t *Track) settleOpen() {
	if !t.reopening {
		return
	}
	t.reopening = false
	expected := max(t.reopened, t.expected)
	if len(t.open)+t.hidden != expected {
		t.matchDepth(expected)
	}
}

// matchDepth ends the calls that are not open any more, and hides those that are neither known nor
// listed.
func (t *Track) matchDepth(expected int) {
	isKnown := t.hidden == 0 && len(t.open) > expected
	depth := expected
	if t.reopened > 0 && !isKnown {
		depth = t.reopened
	}
	t.abandon(depth, t.time)
	t.outside, t.hidden = len(t.open), 0
	if t.reopened > 0 {
		t.hidden = max(expected-len(t.open), 0)
	}
}

func (t *Track) push(function int32, start int64) {
	t.settlePlace()
	state := t.function(function)
	c := &Call{
		Track: t, Function: function, Start: start,
		state: state, level: len(t.open), waitedSoFar: t.waited,
		outer: state.open, before: state.last,
	}
	c.OwnTrace, c.SpanID = t.ids.Next(function, start)
	if c.level > 0 {
		c.Above = t.open[c.level-1]
	}
	state.open, state.last = c, c
	t.open = append(t.open, c)
	t.calls.observer.Begin(c)
}

// function returns what is known of one on this track.
func (t *Track) function(index int32) *functionState {
	if t.functions == nil {
		t.functions = map[int32]*functionState{}
	}
	state := t.functions[index]
	if state == nil {
		state = &functionState{}
		t.functions[index] = state
	}
	return state
}

func (t *Track) pop(end int64, failure Failure) {
	top := len(t.open) - 1
	c := t.open[top]
	t.open[top] = nil
	t.open = t.open[:top]
	c.state.open = c.outer
	c.HasEnded, c.End, c.Waited, c.Failure = true, end, t.waited-c.waitedSoFar, failure
	c.outer = nil
	t.calls.recent.add(c)
	t.calls.observer.End(c)
}

// abandon ends calls of which no exit came.
func (t *Track) abandon(depth int, end int64) {
	if depth < t.outside {
		t.hidden = 0
	}
	for len(t.open) > depth {
		t.pop(end, Failure{Unfinished: true})
	}
}

func (t *Track) finish(last int64) {
	t.settleOpen()
	t.placeChildren(never)
	t.passTime(max(t.time, last))
	t.abandon(0, t.time)
}
