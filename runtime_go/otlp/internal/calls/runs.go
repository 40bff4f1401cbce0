package calls

import (
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/format"
)

// runs order the runs of a track: several writers' chunks are read one after the other, so runs come
// in any order.
type runs struct {
	// Of what was read.
	latest      int64  // the place of the run read last
	lives       int64  // how often the track has begun
	beganIn     uint64 // the sequence number of the chunk in which it did last
	isBegun     bool   // a run was processed
	life, place int64  // of the latest one
	isCut       bool   // its rest may have been overwritten
	isCutSurely bool
}

// locate sets the life and place of a run that was read.
func (r *runs) locate(run *follow.Run) {
	if run.Starts && r.lives > 0 {
		r.latest = 0
	} else {
		step := (int64(run.Number) - r.latest) & format.MaxRun
		if step > format.MaxRun/2 {
			step -= format.MaxRun + 1
		}
		r.latest += step
	}
	run.Place = r.latest
	if run.Starts {
		r.lives++
		r.beganIn = run.Sequence
	}
	run.Life = max(r.lives, 1) // runs may be read before the track record
	if r.lives > 1 && run.Sequence < r.beganIn {
		run.Life--
	}
}

// isLate reports whether a later run was processed already, since this one did not come in time.
func (r *runs) isLate(run *follow.Run) bool {
	return r.isBegun && (run.Life < r.life || run.Life == r.life && run.Place < r.place)
}

// begin notes that a run is processed; it reports whether words before it are missing.
func (r *runs) begin(run *follow.Run) (hasGap bool) {
	isNext := r.isBegun && run.Life == r.life && run.Place == r.place+1 && !r.isCut
	r.isBegun, r.life, r.place = true, run.Life, run.Place
	r.isCut, r.isCutSurely = false, false
	return !run.Starts && !isNext
}

func isBefore(a, b *follow.Run) bool {
	return a.Life < b.Life || a.Life == b.Life && a.Place < b.Place
}

// add queues a piece in the order of runs.
func (t *Track) add(piece *follow.Piece) {
	if piece.Begins {
		t.runs.locate(piece.Run)
	} else {
		t.completeRequest(piece)
	}
	t.pieces = append(t.pieces, pending{Piece: *piece})
	for i := len(t.pieces) - 1; i > 0 && isBefore(piece.Run, t.pieces[i-1].Run); i-- {
		t.pieces[i], t.pieces[i-1] = t.pieces[i-1], t.pieces[i]
	}
}

// firstEvent returns the time of the first event from a piece on: of what was stored before it, all was
// read if all up to that time was.
func (t *Track) firstEvent(index int) int64 {
	for _, piece := range t.pieces[index:] {
		if piece.First < format.TimeLimit {
			return piece.First
		}
	}
	return format.TimeLimit
}

func (t *Track) beginRun(index int) {
	piece := &t.pieces[index]
	t.finishMatching()
	t.hasGap = t.runs.begin(piece.Run)
	t.isMatching, t.listed, t.openAtBegin = !piece.Starts, 0, piece.Open
	if t.hasGap {
		t.bridgeGap(t.pieces[index:])
	}
}

// bridgeGap finds out from the track's next list which calls are open where words before the first of
// the pieces are missing. If the list has not been read yet, they are unknown until it is processed.
func (t *Track) bridgeGap(pieces []pending) {
	run, at := pieces[0].Run, 0
	for at < len(pieces) && !pieces[at].HasList && (pieces[at].Run == run || !pieces[at].Starts) {
		at++
	}
	t.awaitsList = at == len(pieces) && t.openAtBegin > 0
	if at == len(pieces) || !pieces[at].HasList || pieces[at].Run == run {
		return
	}
	list := pieces[at].Run
	for at < len(pieces) && pieces[at].Run == list && t.openListedBefore(pieces[at].Words, pieces[0].Earliest) {
		at++
	}
}

// openListedBefore opens the listed calls that had begun before a time: they were open then and still
// are. It reports whether the list may go on.
func (t *Track) openListedBefore(words []byte, before int64) bool {
	for len(words) > 0 {
		word := format.WordAt(words)
		if word.Kind() != format.Record {
			return false
		}
		if word.Type() == format.Open && word.Bytes() >= format.OpenBytes {
			function, start := t.openCall(words[8:])
			if start >= before {
				return false
			}
			t.match(function, start, word.Value() == format.IsInherited)
		}
		words = words[word.Size():]
	}
	return true
}
