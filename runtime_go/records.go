//go:build trace && go1.21

package functrace

// Records in a track's chunk: tracks, errors, panics, open calls.

import (
	"runtime"
	"strings"
	"unsafe"
)

// Record types and their values.
const (
	baseRecord     = 1
	trackRecord    = 2
	errorRecord    = 3
	panicRecord    = 4
	openRecord     = 5
	switchRecord   = 10
	functionRecord = 16
	processRecord  = 17
	demotionRecord = 18

	recordValueShift = 24

	isGoroutine = 1
	isTask      = 3
	isAgain     = 1 << 8
	isCut       = 1
	isGoexit    = 2
	isDemoted   = 1
	isSilenced  = 2
)

// Maximum length in bytes of the texts of errors and panics.
const maxText = 200

// recordHead returns the first word of a record.
func recordHead(kind, size, value int) uint64 {
	return recordWord | uint64(kind)<<2 | uint64(size)<<8 | uint64(value)<<recordValueShift
}

// wordsFor returns the number of words of a record with a payload of size bytes.
func wordsFor(size int) int { return 1 + (size+7)/8 }

// putText stores a record with a text.
//
//go:norace
func (t *track) putText(now uint64, kind, value int, text string) {
	if len(text) > maxText {
		text, value = text[:maxText], value|isCut
	}
	w := t.begin(now, wordsFor(len(text))+1)
	if w == nil {
		return
	}
	at := w.used
	rest, next := text, at+1
	for ; len(rest) >= 8; rest, next = rest[8:], next+1 {
		w.words[next] = uint64(rest[0]) | uint64(rest[1])<<8 | uint64(rest[2])<<16 | uint64(rest[3])<<24 |
			uint64(rest[4])<<32 | uint64(rest[5])<<40 | uint64(rest[6])<<48 | uint64(rest[7])<<56
	}
	if rest != "" {
		w.words[next] = lastWord(rest)
	}
	w.words[at] = recordHead(kind, len(text), value)
	w.used = at + wordsFor(len(text))
	unpin(w)
}

// lastWord returns a word with the fewer than 8 remaining bytes of a text.
//
//go:norace
func lastWord(rest string) (word uint64) {
	for i := 0; i < len(rest); i++ {
		word |= uint64(rest[i]) << (8 * i)
	}
	return word
}

// findOrigin determines the origin of the track, whose first word has that time.
//
//go:norace
func (t *track) findOrigin(now uint64) {
	parent, starter, line := t.parentage()
	t.origin = origin{parent, now, starter, line}
}

// putReason records the error or panic value in t.pendingError.
//
//go:norace
func (t *track) putReason(now uint64, kind int) {
	if settings.callsErrorMethod {
		if err, ok := t.pendingError.(error); ok {
			t.putText(now, kind, 0, t.callErrorMethod(err))
			return
		}
	}
	var d description
	d.describe(&t.pendingError)
	t.putText(now, kind, 0, unsafe.String(&d.bytes[0], d.n))
}

// callErrorMethod calls the Error method of err. That runs code of the program, which is not
// traced and whose panics are recovered.
//
//go:norace
func (t *track) callErrorMethod(err error) string {
	// So that calls take the slow path, which checks isMuted.
	t.writer = &noWriter
	hadTrackRecord := t.hasTrackRecord
	t.hasTrackRecord, t.isMuted = false, true
	defer func() { t.hasTrackRecord, t.isMuted = hadTrackRecord, false }() // also after Goexit
	return textOf(err)
}

// textOf returns the text of err, or a placeholder if its Error method panics.
func textOf(err error) (text string) {
	enableRaceDetector()
	defer disableRaceDetector()
	defer func() {
		if recover() != nil {
			text = "(its Error method panics)"
		}
	}()
	return err.Error()
}

// putPanic records a panic or Goexit if it ends the call. A panic in progress is not enough: a
// deferred function may have called this function.
//
//go:norace
func (t *track) putPanic(now uint64) bool {
	switch unwinding() {
	case "runtime.gopanic":
		t.pendingError = panicValue()
		t.putReason(now, panicRecord)
	case "runtime.Goexit":
		t.putText(now, panicRecord, isGoexit, "")
	default:
		return false
	}
	return true
}

// ownPackage is the prefix of the names of this package's functions. The package may have been
// copied to any directory.
var ownPackage = functionPrefix()

func functionPrefix() string {
	pc, _, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(runtime.FuncForPC(pc).Name(), "functionPrefix")
}

// requestHook is how the names of the functions end that report the end of a request in net/http and gRPC.
const requestHook = ".functraceEndRequest"

// unwinding returns the name of the function that called the exit function: the instrumented
// function, or a function of the Go runtime that unwinds the stack.
func unwinding() string {
	// Skip Callers and unwinding, then the frames between them and the defer statement.
	var pcs [12]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		name := frame.Function
		own, isOwn := strings.CutPrefix(name, ownPackage)
		isIntermediate := isOwn && (own == "Exit" || own == "(*Request).End" || strings.HasPrefix(own, "(*track).") || strings.HasPrefix(own, "newTrack.func")) ||
			strings.Contains(name, ".deferwrap") || strings.HasSuffix(name, requestHook)
		if !more || !isIntermediate {
			return name
		}
	}
}
