//go:build trace && go1.21

package functrace

import (
	"runtime"
	"strings"
	"unsafe"
)

// Types of records, and values of theirs.
const (
	baseRecord     = 1
	trackRecord    = 2
	errorRecord    = 3
	panicRecord    = 4
	openRecord     = 5
	functionRecord = 16
	processRecord  = 17

	isGoroutine = 1
	isCut       = 1
	isGoexit    = 2
)

// Texts of errors and panics are cut to this many bytes.
const maxText = 200

func recordHead(kind, size, value int) uint64 {
	return recordWord | uint64(kind)<<2 | uint64(size)<<8 | uint64(value)<<24
}

// wordsFor returns how many words a record with a payload of size bytes takes.
func wordsFor(size int) int { return 1 + (size+7)/8 }

// extend makes room for so many words at a time, after what must come before them: a new
// chunk if this one is full, who the track is, what the times count from.
//
//go:norace
func (t *track) extend(now uint64, words int) bool {
	if t.taken.Load() {
		t.words = nil
		t.taken.Store(false)
	}
	need := words
	if !t.begun {
		need += trackRecordWords
	}
	if t.words != nil && t.used+need+wordsFor(8) <= len(t.words) {
		t.limit.Store(int64(len(t.words)))
	} else if !rec.newChunk(t, now, need) {
		t.limit.Store(0)
		return false
	}
	if !t.begun {
		t.begun = true
		t.putTrack(now)
	}
	if now-t.base >= maxSinceBase {
		t.base = now
		t.putRecord(baseRecord, 0, now)
	}
	return true
}

// putRecord stores a record of whole words; there is room for it.
//
//go:norace
func (t *track) putRecord(kind, value int, payload ...uint64) {
	at := t.used
	for i, word := range payload {
		t.words[at+1+i] = word
	}
	t.words[at] = recordHead(kind, 8*len(payload), value)
	t.used = at + 1 + len(payload)
}

// putText stores a record with a text.
//
//go:norace
func (t *track) putText(now uint64, kind, value int, text string) {
	if len(text) > maxText {
		text, value = text[:maxText], value|isCut
	}
	if !t.extend(now, wordsFor(len(text))+1) {
		return
	}
	at := t.used
	rest, next := text, at+1
	for ; len(rest) >= 8; rest, next = rest[8:], next+1 {
		t.words[next] = uint64(rest[0]) | uint64(rest[1])<<8 | uint64(rest[2])<<16 | uint64(rest[3])<<24 |
			uint64(rest[4])<<32 | uint64(rest[5])<<40 | uint64(rest[6])<<48 | uint64(rest[7])<<56
	}
	if rest != "" {
		t.words[next] = lastWord(rest)
	}
	t.words[at] = recordHead(kind, len(text), value)
	t.used = at + wordsFor(len(text))
}

// lastWord returns the word of the fewer than 8 bytes that end a text.
//
//go:norace
func lastWord(rest string) (word uint64) {
	for i := 0; i < len(rest); i++ {
		word |= uint64(rest[i]) << (8 * i)
	}
	return word
}

const trackRecordWords = 1 + 4

// putTrack tells who the track is and where it came from.
//
//go:norace
func (t *track) putTrack(now uint64) {
	parent, starter, line := t.origin()
	t.putRecord(trackRecord, isGoroutine, t.id, parent, now, starter|uint64(line)<<32)
}

// putReason records why the call fails: what t.fails says.
//
//go:norace
func (t *track) putReason(now uint64, kind int) {
	if settings.callsError {
		if err, ok := t.fails.(error); ok {
			t.putText(now, kind, 0, t.askError(err))
			return
		}
	}
	var d description
	d.describe(&t.fails)
	t.putText(now, kind, 0, unsafe.String(&d.bytes[0], d.n))
}

// askError calls the error's method. That runs code of the program, which is not traced
// and whose panics are none of the program's.
//
//go:norace
func (t *track) askError(err error) string {
	limit := t.limit.Swap(0) // so that calls are not recorded without a look at muted
	t.muted = true
	text := textOf(err)
	t.muted = false
	t.limit.Store(limit)
	return text
}

func textOf(err error) (text string) {
	showToRaceDetector()
	defer hideFromRaceDetector()
	defer func() {
		if recover() != nil {
			text = "(its Error method panics)"
		}
	}()
	return err.Error()
}

// putPanic tells that the call does not return, if so: that there is a panic on its way
// through the goroutine may also mean that a deferred function called this one.
//
//go:norace
func (t *track) putPanic(now uint64) bool {
	switch unwinding() {
	case "runtime.gopanic":
		t.fails = panicValue()
		t.putReason(now, panicRecord)
	case "runtime.Goexit":
		t.putText(now, panicRecord, isGoexit, "")
	default:
		return false
	}
	return true
}

// ownPackage is what the names of this package's functions begin with. Its folder may have any name.
var ownPackage = functionPrefix()

func functionPrefix() string {
	pc, _, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(runtime.FuncForPC(pc).Name(), "functionPrefix")
}

// unwinding returns the name of the function that runs the exit function: the instrumented
// one, or that of the Go runtime that unwinds the stack.
func unwinding() string {
	// Callers, unwinding, putPanic, recordExit, leave; then what stands between that and the
	// defer statement.
	var pcs [4]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(5, pcs[:])])
	for {
		frame, more := frames.Next()
		name := frame.Function
		own, isOwn := strings.CutPrefix(name, ownPackage)
		isBetween := isOwn && (own == "Exit" || strings.HasPrefix(own, "newTrack.func")) ||
			strings.HasSuffix(name, ".leaveMain") || strings.Contains(name, ".deferwrap")
		if !more || !isBetween {
			return name
		}
	}
}
