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
	Start  int64 // ticks since the trace's start
	Parent *Call // the call of another track that this one is parented to

	calls            *Calls
	ids              ids.Track
	isDescribed      bool
	parentID         uint64
	parent           *Track
	starter          int // the number of the function that started it
	isParentResolved bool
	ancestors        int // tracks above it, approximately
	children         []*Track

	pieces      []pending
	inherited   []inheritedCall // around the open calls
	open        []*Call
	functions   map[int32]*functionState
	time        int64
	suspended   int64 // ticks during which it was suspended
	isSuspended bool
	failure     Failure // of the call whose exit comes next

	runs        runs
	isMatching  bool // a run has begun whose list of open calls is being compared
	listed      int  // calls in that list so far
	openAtBegin int  // open calls according to the run
	hasGap      bool // words before the run are missing
	awaitsList  bool // calls are open that are not known
	hidden      int  // open calls whose entries were overwritten and that are not listed
	hiddenIndex int  // open calls around the hidden ones
	idleSince   int  // the turn in which it became idle; 0 while it is active
}

// An inheritedCall was open when the process was forked. The parent process sends it.
type inheritedCall struct {
	function int32
	start    int64
}

// A functionState holds the calls of a function on a track.
type functionState struct {
	open *Call // the innermost open one
	last *Call // the one that began last
}

// pending are the unprocessed words of a piece.
type pending struct {
	follow.Piece
	at      int
	isBegun bool
}

// isBefore orders tracks by start.
func (t *Track) isBefore(other *Track) bool {
	return t.Start < other.Start || t.Start == other.Start && t.ID < other.ID
}

// describe reads the piece's track record. The first record counts; a repeated one continues the
// track.
func (t *Track) describe(piece *follow.Piece) {
	t.idleSince = 0
	if record := piece.Record; record != nil && !t.isDescribed {
		t.isDescribed = true
		t.Name, t.parentID, t.starter, t.Start = record.Name, record.Parent, record.Starter, record.Start
		if record.Kind <= 3 {
			t.Kind = record.Kind
		}
		if starter := t.calls.facts.Index(t.starter); starter >= 0 {
			t.calls.starters[starter] = true
		}
	}
	if !t.isDescribed && !piece.IsCut {
		t.Start = min(t.Start, piece.Earliest)
	}
}

// run processes the track's words up to a time; it reports whether words are left.
func (t *Track) run(until int64) bool {
	for i := range t.pieces {
		piece := &t.pieces[i]
		if t.runs.isLate(piece.Run) {
			continue
		}
		isLast := i == len(t.pieces)-1
		if !piece.isBegun && !t.begin(i, until) || !t.runPiece(piece, until, isLast) {
			t.pieces = append(t.pieces[:0], t.pieces[i:]...)
			return true
		}
	}
	t.pieces = nil
	if t.depth() == 0 {
		t.calls.discard(t.calls.idle.add(t))
	}
	return false
}

// begin begins a piece, unless its first event is later.
func (t *Track) begin(index int, until int64) bool {
	piece := &t.pieces[index]
	if piece.IsCut {
		t.runs.isCut = true
		t.runs.isCutSurely = t.runs.isCutSurely || piece.IsCutSurely
	} else if t.firstEvent(index) > until {
		return false
	} else if piece.Begins {
		t.beginRun(index)
	}
	piece.isBegun = true
	return true
}

func (t *Track) runPiece(p *pending, until int64, isLast bool) bool {
	for p.at < len(p.Words) {
		word := format.WordAt(p.Words[p.at:])
		size := 8
		switch word.Kind() {
		case format.Entry, format.Exit:
			if t.since(p.Base+word.Ticks()) > until {
				return false
			}
			if isLast && p.at+size == len(p.Words) && until < format.TimeLimit && t.awaitsRequest(word) {
				return false
			}
			t.finishMatching()
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
		t.finishMatching()
		t.fail(kind, word.Value(), payload)
	case kind == format.Open && len(payload) >= format.OpenBytes:
		if t.isMatching {
			function, start := t.openCall(payload)
			t.match(function, start, word.Value() == format.IsInherited)
		}
	case kind == format.Inherited && len(payload) >= format.OpenBytes:
		t.finishMatching()
		if function, start := t.openCall(payload); function >= 0 {
			t.reopen(function, start, true)
		}
	case kind == format.Request:
		t.finishMatching()
		t.beginRequest(word.Value(), payload)
	case kind == format.Status:
		t.finishMatching()
		t.failure.HasStatus, t.failure.Status = true, word.Value()
	case kind == format.Lost:
		t.isSuspended = false
	case kind == format.Suspended || kind == format.Resumed:
		t.finishMatching()
		t.moveTime(p.Base + word.Value())
		t.isSuspended = kind == format.Suspended
	}
}

// openCall returns the function, -1 if it is unknown, and the start in a record of an open call.
func (t *Track) openCall(payload []byte) (function int32, start int64) {
	function = -1
	if number := uint64(format.WordAt(payload[8:])); number < format.Functions {
		function = t.calls.facts.Index(int(number))
	}
	return function, t.since(uint64(format.WordAt(payload)))
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
		f.IsError = true
	case value == format.IsGoexit:
		f.IsGoexit = true
	default:
		f.IsPanic = true
	}
	f.IsTextCut = f.IsTextCut || value == format.IsCut
	f.Text = format.Text(text)
}

func (t *Track) passTime(until int64) {
	if t.isSuspended {
		t.suspended += until - t.time
	}
	t.time = until
}

// moveTime moves the track to an event's time and resumes it; the caller of a suspended record
// suspends it again.
func (t *Track) moveTime(ticks uint64) int64 {
	t.passTime(max(t.since(ticks), t.time))
	t.isSuspended = false
	t.resolveChildren(t.time)
	return t.time
}

// depth returns the number of open calls, hidden ones excluded.
func (t *Track) depth() int { return len(t.inherited) + len(t.open) }

// innermost returns the index of the function's innermost open call, -1 if there is none.
func (t *Track) innermost(function int32) int {
	if state := t.functions[function]; state != nil && state.open != nil {
		return len(t.inherited) + state.open.level
	}
	for i := len(t.inherited) - 1; i >= 0; i-- {
		if t.inherited[i].function == function {
			return i
		}
	}
	return -1
}

func (t *Track) exit(function int32, time int64) {
	index := t.innermost(function)
	if t.hidden > 0 && index < t.hiddenIndex {
		t.abandon(t.hiddenIndex, time, unfinished)
		t.hidden--
		return
	}
	if index < 0 {
		return
	}
	t.abandon(index+1, time, unfinished)
	if len(t.open) > 0 {
		t.pop(time, t.failure)
	} else {
		t.inherited = t.inherited[:index]
	}
}

// match compares an open call in a run's list with the known one at the same depth. From the first
// difference on, the listed calls replace the known ones.
func (t *Track) match(function int32, start int64, isInherited bool) {
	if function < 0 {
		return
	}
	index := t.listed
	t.listed++
	if t.hidden > 0 && index >= t.hiddenIndex {
		t.abandon(t.hiddenIndex, t.time, t.missingExit())
		t.hidden = 0
	}
	if index < t.depth() && t.openAt(index) == (inheritedCall{function, start}) {
		return
	}
	t.abandon(index, t.time, t.missingExit())
	t.reopen(function, start, isInherited)
}

// openAt returns the function and the start of the open call at an index.
func (t *Track) openAt(index int) inheritedCall {
	if index < len(t.inherited) {
		return t.inherited[index]
	}
	c := t.open[index-len(t.inherited)]
	return inheritedCall{c.Function, c.Start}
}

// reopen opens a call whose entry was not read. It did not begin before the last known event outside
// it, if the calls outside it are known. An inherited call inside an ordinary one is an ordinary call.
func (t *Track) reopen(function int32, start int64, isInherited bool) {
	entered := start
	start = max(start, t.time)
	if !t.awaitsList || !t.isMatching {
		entered = start
	}
	t.resolveChildren(start)
	t.passTime(start)
	if isInherited && len(t.open) == 0 {
		t.inherited = append(t.inherited, inheritedCall{function, start})
	} else {
		t.push(function, entered)
	}
}

// finishMatching adjusts the open calls to the run's number of them, before the run's first event.
func (t *Track) finishMatching() {
	if !t.isMatching {
		return
	}
	t.isMatching = false
	expected := max(t.listed, t.openAtBegin)
	if t.hasGap || t.depth()+t.hidden != expected {
		t.matchDepth(expected)
	}
	t.hasGap = false
	if t.listed > 0 || t.openAtBegin == 0 {
		t.awaitsList = false
	}
}

// matchDepth ends the calls that are no longer open, and counts as hidden those that are neither known
// nor listed.
func (t *Track) matchDepth(expected int) {
	isKnown := !t.hasGap && t.hidden == 0 && t.depth() > expected
	isListed := t.hasGap || t.listed > 0
	depth := expected
	if isListed && !isKnown {
		depth = t.listed
	}
	t.abandon(depth, t.time, t.missingExit())
	t.hiddenIndex, t.hidden = t.depth(), 0
	if isListed {
		t.hidden = max(expected-t.depth(), 0)
	}
}

func (t *Track) push(function int32, start int64) {
	t.resolveParent()
	state := t.stateOf(function)
	c := &Call{
		Track: t, Function: function, Start: start,
		state: state, level: len(t.open), suspendedBefore: t.suspended,
		outer: state.open, previous: state.last,
	}
	c.OwnTrace, c.SpanID = t.ids.Next(function, start)
	if c.level > 0 {
		c.Caller = t.open[c.level-1]
	}
	state.open, state.last = c, c
	t.open = append(t.open, c)
	t.calls.begin(c)
}

func (t *Track) stateOf(function int32) *functionState {
	if t.functions == nil {
		t.functions = map[int32]*functionState{}
	}
	state := t.functions[function]
	if state == nil {
		state = &functionState{}
		t.functions[function] = state
	}
	return state
}

func (t *Track) pop(end int64, failure Failure) {
	top := len(t.open) - 1
	c := t.open[top]
	t.open[top] = nil
	t.open = t.open[:top]
	c.state.open = c.outer
	c.HasEnded, c.End, c.Suspended, c.Failure = true, end, t.suspended-c.suspendedBefore, failure
	c.outer = nil
	t.calls.remember(c)
	t.calls.end(c)
}

var (
	unfinished = Failure{IsUnfinished: true}
	endUnknown = Failure{IsEndUnknown: true}
)

// missingExit describes calls that are no longer open where a run begins.
func (t *Track) missingExit() Failure {
	if t.hasGap || t.calls.isIncomplete {
		return endUnknown
	}
	return unfinished
}

// abandon ends the calls from an index on, without an exit.
func (t *Track) abandon(depth int, end int64, failure Failure) {
	if depth < t.hiddenIndex {
		t.hidden = 0
	}
	for len(t.open) > 0 && t.depth() > depth {
		t.pop(end, failure)
	}
	t.inherited = t.inherited[:min(depth, len(t.inherited))]
}

func (t *Track) finish(last int64) {
	t.finishMatching()
	t.resolveChildren(never)
	t.passTime(max(t.time, last))
	if t.runs.isCutSurely {
		t.abandon(0, t.time, endUnknown)
	} else {
		t.abandon(0, t.time, unfinished)
	}
}
