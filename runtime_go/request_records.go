//go:build trace && go1.21

package functrace

// Records of requests in a track's chunk.

const (
	requestRecord     = 11
	statusRecord      = 12
	requestNameRecord = 19

	protocolShift = 2
	hasIDs        = 1 << 8
	isSampledID   = 1 << 9
	hasCaller     = 1 << 10
	isMintedID    = 1 << 11

	maxStatus  = 1<<16 - 1
	isGRPC     = 1 << 16
	routeShift = 20

	maxRequestWords = 1 + 7 // of a record
)

// A requestRecordOf is the content of a request record.
type requestRecordOf struct {
	kind               requestKind
	number, inbound    uint64
	hasIDs, isSampled  bool
	isMinted           bool
	ids                [3]uint64
	callerKey, callers uint64 // the caller's process and request
}

// inboundRecord returns the record of an inbound call with these headers.
func (c *traceContext) inboundRecord() (r requestRecordOf) {
	r.kind.direction = inbound
	r.setIDs(c)
	r.callerKey, r.callers = c.processKey, c.number
	return r
}

func (r *requestRecordOf) setIDs(c *traceContext) {
	r.isSampled = c.isSampled
	if r.hasIDs = c.traceID != ""; r.hasIDs {
		r.ids = idWords(c.traceID, c.spanID)
	}
}

// words returns the value of the record and its payload.
//
//go:norace
func (r *requestRecordOf) words(payload *[maxRequestWords - 1]uint64) (value, size int) {
	value = int(r.kind.direction) | int(r.kind.protocol)<<protocolShift
	payload[0], size = r.number, 1
	if r.kind.direction == outbound {
		payload[1], size = r.inbound, 2
	}
	if r.isSampled {
		value |= isSampledID
	}
	if r.isMinted {
		value |= isMintedID
	}
	if r.hasIDs {
		value |= hasIDs
		payload[size], payload[size+1], payload[size+2] = r.ids[0], r.ids[1], r.ids[2]
		size += 3
	}
	if r.callerKey != 0 {
		value |= hasCaller
		payload[size], payload[size+1] = r.callerKey, r.callers
		size += 2
	}
	return value, size
}

// recordRequest records the entry of a request and its record. It reports whether they are recorded.
//
//go:norace
func (t *track) recordRequest(f *function, now uint64, r *requestRecordOf) bool {
	if t.depth == len(t.open) && !t.growOpen() || t.isMuted || !t.putPending() {
		return false
	}
	r.kind = f.request
	var payload [maxRequestWords - 1]uint64
	value, size := r.words(&payload)
	w := t.begin(now, 1+1+size)
	if w == nil {
		return false
	}
	w.put((now-w.base)<<timeShift | f.number<<functionShift | entryWord)
	w.putRecord(requestRecord, value, payload[:size]...)
	unpin(w)
	t.open[t.depth] = openCall{now, f.number}
	t.depth++
	if minDuration != 0 {
		t.written = t.depth
	}
	return true
}

// recordRequestEnd records the exit of a request, its status if value is not 0, and its failure. It
// returns the number of calls still open.
//
//go:norace
func (t *track) recordRequestEnd(r *Request, value int, failure any) int {
	now := ticks()
	if !r.isDetached {
		if g, _, _ := state(); !t.isOf(g) || t.id != r.goroutine {
			return t.depth
		}
	}
	for t.depth > r.depth+1 {
		t.recordExit(now) // of calls that did not report their exit
	}
	if t.depth != r.depth+1 {
		return t.depth
	}
	if value != 0 {
		if w := t.begin(now, 1); w != nil {
			w.putRecord(statusRecord, value)
			unpin(w)
		}
	}
	t.pendingError = failure
	if !r.isDetached {
		return t.recordExit(now)
	}
	if failure != nil {
		t.putReason(now, errorRecord)
	}
	t.put(now, r.function.number<<functionShift|exitWord)
	t.pendingError = nil
	t.depth--
	return t.depth
}
