//go:build trace && go1.21

package functrace

// Writers: the chunks that tracks share, and what precedes a track's words in them.

import (
	"math"
	"sync/atomic"
)

// A writer stores the words of the tracks that run on one thread, in one chunk after another. It is
// used while pinned, except for its atomic fields.
type writer struct {
	writerLink              // finds the writer by its thread, or locks it
	words      []uint64     // of the chunk
	used       int          // words
	limit      atomic.Int64 // words that may be used before begin has to be called
	base       uint64       // ticks that the times in the chunk are relative to
	current    *track       // the track of the latest words
	number     uint64       // in the heads of its chunks
	filled     uint64       // words in the chunks before this one
	growth     uint8        // the next chunk has minChunk<<growth bytes
	isRevoked  atomic.Bool  // the chunk is too old to be continued

	position atomic.Int64 // of the chunk, see chunk.position
	chunk    *chunk
	spare    atomic.Pointer[chunk] // the next chunk
	left     atomic.Pointer[chunk] // the chunk before, if its memory has not been released
}

// A chunk is memory of the trace file for one writer.
type chunk struct {
	words    []uint64
	segment  *segment
	position int64 // bytes allocated for chunks before this one, overwritten ones included
	sequence uint64
}

// noWriter is the writer of a track that has to call begin before its next word.
var noWriter writer

// begin returns the pinned writer of this thread, with room for that many words of t behind the
// records that must precede them; nil if they cannot be recorded. unpin must follow.
//
//go:norace
func (t *track) begin(now uint64, words int) *writer {
	if t.origin.start == 0 {
		t.findOrigin(now)
	}
	if now > rec.evaluateAt.Load() {
		rec.evaluate()
	}
	if t.hasGap && rec.losesWord() {
		return nil
	}
	for {
		w := pin(t)
		if w.isRevoked.Load() {
			w.leaveRevoked()
		}
		lists := t.hasGap || t.mustList()
		need := words + t.prefaceWords(w, now, lists)
		isReady := w.hasRoom(need)
		if !isReady {
			lists = lists || t.listsInNewChunk(w)
			need = words + t.prefaceWords(nil, now, lists)
			isReady = w.beginChunk(now, need)
		}
		if isReady {
			w.limit.Store(int64(len(w.words)))
			if w.isRevoked.Load() {
				w.limit.Store(0)
			}
			t.putPreface(w, now, lists)
			t.hasGap = false
			return w
		}
		unpin(w)
		if !rec.newChunk(w, need) {
			t.writer, t.hasGap = &noWriter, true
			return nil
		}
	}
}

//go:norace
func (w *writer) hasRoom(words int) bool { return w.used+words <= len(w.words) }

// put stores a word.
//
//go:norace
func (w *writer) put(word uint64) {
	w.words[w.used] = word
	w.used++
}

// putRecord stores a record of whole words, its head last.
//
//go:norace
func (w *writer) putRecord(kind, value int, payload ...uint64) {
	at := w.used
	for i, word := range payload {
		w.words[at+1+i] = word
	}
	w.words[at] = recordHead(kind, 8*len(payload), value)
	w.used = at + 1 + len(payload)
}

// leaveRevoked leaves a chunk that was revoked. A writer that does not fill its chunks gets smaller
// ones.
//
//go:norace
func (w *writer) leaveRevoked() {
	w.isRevoked.Store(false)
	w.filled += uint64(w.used)
	w.words, w.used, w.current = nil, 0, nil
	w.growth -= min(w.growth, growthStep)
}

// beginChunk begins the spare chunk if it has room for that many words, and reports whether it does.
//
//go:norace
func (w *writer) beginChunk(now uint64, need int) bool {
	c := w.spare.Load()
	if c == nil || chunkHead/8+need > len(c.words) || !w.spare.CompareAndSwap(c, nil) {
		return false
	}
	w.left.Store(w.chunk)
	w.chunk = c
	c.words[3], c.words[4] = w.number, now
	c.putHead(eventsChunk)
	w.filled += uint64(w.used)
	w.words, w.used, w.base, w.current = c.words, chunkHead/8, now, nil
	w.growth = min(w.growth+growthStep, maxGrowth)
	w.isRevoked.Store(false)
	w.position.Store(c.position)
	if rec.isOld(c) {
		w.isRevoked.Store(true) // it was revoked as a spare
	}
	return true
}

const (
	trackRecordWords  = 1 + 4
	switchRecordWords = 1 + 1
	baseRecordWords   = 1 + 1
	openRecordWords   = 1 + 2
)

// prefaceWords returns how many words precede the track's next word in the writer's chunk, or in a
// new chunk if w is nil.
//
//go:norace
func (t *track) prefaceWords(w *writer, now uint64, lists bool) (words int) {
	if w != nil && now-w.base >= maxSinceBase {
		words = baseRecordWords
	}
	switch {
	case !t.hasTrackRecord:
		words += trackRecordWords
	case t.continues(w):
	case lists:
		words += switchRecordWords + trackRecordWords + openRecordWords*len(t.listed())
	default:
		words += switchRecordWords
	}
	return words
}

// continues reports whether the latest words of both the writer and the track are the track's run.
//
//go:norace
func (t *track) continues(w *writer) bool { return w != nil && t.writer == w && w.current == t }

// mustList reports whether the track has to list its open calls again: its last list may soon be
// overwritten.
//
//go:norace
func (t *track) mustList() bool { return rec.position.Load()-t.listedAt > rec.listAfter }

// listsInNewChunk reports whether the track lists its open calls at the start of a new chunk, where they
// are few beside the chunk: a reader of a trace that begins there then knows them.
//
//go:norace
func (t *track) listsInNewChunk(w *writer) bool {
	return rec.listAfter != math.MaxInt64 && w.growth == maxGrowth && len(t.recorded()) <= maxShortList
}

const maxShortList = 16

// putPreface stores the records that precede the track's next word.
//
//go:norace
func (t *track) putPreface(w *writer, now uint64, lists bool) {
	switch {
	case !t.hasTrackRecord:
		t.hasTrackRecord = true
		t.run = 0
		t.putTrack(w, 0)
	case !t.continues(w):
		t.putSwitch(w)
		if lists {
			t.putTrack(w, isAgain)
			t.putOpenCalls(w)
		}
	}
	w.current, t.writer = t, w
	if now-w.base >= maxSinceBase {
		w.base = now
		w.putRecord(baseRecord, 0, now)
	}
}

const (
	maxRun        = 1<<24 - 1
	maxOpenInRun  = 1<<16 - 1
	openInRunBits = 24
)

// putSwitch stores the record that begins the track's next run.
//
//go:norace
func (t *track) putSwitch(w *writer) {
	t.run = (t.run + 1) & maxRun
	open := min(len(t.recorded()), maxOpenInRun)
	w.putRecord(switchRecord, int(t.run)|open<<openInRunBits, t.id)
}

// putTrack records the id of the track's goroutine and the go statement that started it.
//
//go:norace
func (t *track) putTrack(w *writer, flags int) {
	o := &t.origin
	kind := isGoroutine
	if t.id >= detachedTracks {
		kind = isTask
	}
	w.putRecord(trackRecord, kind|flags, t.id, o.parent, o.start, o.starter|uint64(o.line)<<32)
	t.listedAt = w.chunk.position
}

// putOpenCalls lists the open calls, outermost first.
//
//go:norace
func (t *track) putOpenCalls(w *writer) {
	open := t.listed()
	for i := range open {
		w.putRecord(openRecord, 0, open[i].entered, open[i].function)
	}
}

// listed returns the calls that the track lists.
//
//go:norace
func (t *track) listed() []openCall {
	open := t.recorded()
	if len(open) > rec.maxListed {
		open = open[:rec.maxListed]
	}
	return open
}
