//go:build trace && go1.21

package functrace

// Requests: inbound and outbound calls, which the hooks in net/http and gRPC report.

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// A Protocol is that of a request.
type Protocol uint8

// The protocols whose requests are recorded.
const (
	HTTP Protocol = 1
	GRPC Protocol = 2
)

// A Request is an inbound or outbound call that is being recorded. functrace go compiles the calls that
// report requests into net/http and google.golang.org/grpc.
type Request struct {
	track      *track
	function   *function
	number     uint64
	goroutine  uint64 // the id of the track
	depth      int    // of its call on the track
	isDetached bool   // it has a track of its own
	isListed   bool   // in openInbound
	isEnded    atomic.Bool
	method     string
	headers    []Header

	// Of an inbound call:
	context    *traceContext // only if it is sent on
	ownTraceID string        // of the trace that it begins, if functrace makes the ids
	next       *Request      // in its list of open inbound calls
}

// propagation is what is done with trace headers.
type propagation int

const (
	observeHeaders propagation = iota
	forwardHeaders
	spanHeaders
	ignoreRequests
)

// recordsRequests is set if requests are recorded while tracing is on.
var recordsRequests bool

var lastRequest atomic.Uint64

// MayRecordRequests reports whether requests may be recorded in this process.
//
//go:norace
func MayRecordRequests() bool { return recordsRequests }

// RecordsRequests reports whether requests are recorded now.
//
//go:norace
func RecordsRequests() bool { return recordsRequests && !off.Load() }

// startRequests prepares the recording of requests.
func startRequests() { recordsRequests = settings.propagate != ignoreRequests }

// newIdentity makes the key of the process and the ids of its spans unpredictable.
func newIdentity() {
	for processKey == 0 {
		processKey = new(maphash.Hash).Sum64()
	}
	idSeed = new(maphash.Hash).Sum64()
}

// inboundKey is the key of the inbound call in a context.
type inboundKey struct{}

// BeginInbound reports the start of a request that enters the process. The context is that of the
// request, with which outbound calls are attached to it. The result is nil if the request is not recorded.
func BeginInbound(ctx context.Context, p Protocol, method, path, query string, headers map[string][]string) (context.Context, *Request) {
	if !RecordsRequests() || method == "PRI" {
		return ctx, nil
	}
	c := parseTraceHeaders(p, headers)
	r := &Request{method: method}
	record := c.inboundRecord()
	if settings.propagate == spanHeaders && c.traceID == "" {
		r.ownTraceID = newTraceID()
		record.setIDs(&traceContext{traceID: r.ownTraceID, spanID: newID(), isSampled: c.childFlags() == "01"})
		record.isMinted = true
	}
	if !r.begin(requestKind{inbound, p}, &requestLine{p, method, "", path, query}, record) {
		return ctx, nil
	}
	if settings.propagate != observeHeaders {
		kept := c
		r.context = &kept
	}
	r.addToOpen()
	return context.WithValue(ctx, inboundKey{}, r), r
}

// BeginOutbound reports the start of a request that leaves the process, on the goroutine that makes it.
func BeginOutbound(ctx context.Context, p Protocol, method, host, path, query string, headers map[string][]string) *Request {
	r := &Request{method: method}
	return r.beginOutbound(ctx, &requestLine{p, method, host, path, query}, headers)
}

// BeginStream is like BeginOutbound for a request that may end on any goroutine.
func BeginStream(ctx context.Context, p Protocol, path string, headers map[string][]string) *Request {
	r := &Request{isDetached: true}
	return r.beginOutbound(ctx, &requestLine{protocol: p, path: path}, headers)
}

func (r *Request) beginOutbound(ctx context.Context, line *requestLine, headers map[string][]string) *Request {
	if !RecordsRequests() {
		return nil
	}
	caller := inboundOf(ctx)
	record := requestRecordOf{kind: requestKind{outbound, line.protocol}}
	if caller != nil {
		record.inbound = caller.number
	}
	record.number = lastRequest.Add(1)
	sent := parseTraceHeaders(line.protocol, headers)
	if settings.propagate != observeHeaders && !hasTraceHeader(line.protocol, headers) {
		sent = r.addHeaders(caller, line.protocol, headers, &record)
	}
	record.setIDs(&sent)
	if !r.begin(record.kind, line, record) {
		return nil
	}
	return r
}

// Headers returns the headers that the request sends in addition to the program's.
func (r *Request) Headers() []Header {
	if r == nil {
		return nil
	}
	return r.headers
}

// addHeaders sets the headers to add to an outbound call that has no trace header, and returns what they
// contain.
func (r *Request) addHeaders(caller *Request, p Protocol, headers map[string][]string, record *requestRecordOf) traceContext {
	var c traceContext
	ownTraceID := ""
	if caller != nil && caller.context != nil && !caller.isEnded.Load() {
		c, ownTraceID = *caller.context, caller.ownTraceID
	}
	if settings.propagate == forwardHeaders {
		r.headers = withoutPresent(c.forwarded(p, processKey, record.number), headers)
		return c
	}
	traceID := c.traceID
	switch len(traceID) {
	case 0:
		if traceID = ownTraceID; traceID == "" {
			traceID = newTraceID()
		}
	case 16:
		traceID = "0000000000000000" + traceID
	}
	spanID := newID()
	r.headers = withoutPresent(c.child(p, processKey, record.number, traceID, spanID), headers)
	record.isMinted = true
	return traceContext{traceID: traceID, spanID: spanID, isSampled: c.childFlags() == "01"}
}

// hasTraceHeader reports whether the program has set a header that decides about all trace headers.
func hasTraceHeader(p Protocol, headers map[string][]string) bool {
	names := &headerNames[p]
	for name := range headers {
		if equalFold(name, names[traceparentHeader]) || equalFold(name, names[b3Header]) || equalFold(name, names[traceIDHeader]) {
			return true
		}
	}
	return false
}

// withoutPresent returns the headers that the program has not set itself.
func withoutPresent(added []Header, headers map[string][]string) []Header {
	kept := added[:0]
	for _, header := range added {
		isPresent := false
		for name := range headers {
			isPresent = isPresent || equalFold(name, header.Name)
		}
		if !isPresent {
			kept = append(kept, header)
		}
	}
	return kept
}

// equalFold reports whether two names of headers are the same.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x >= 'A' && x <= 'Z' {
			x += 'a' - 'A'
		}
		if y >= 'A' && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}

// inboundOf returns the inbound call that an outbound call on this goroutine belongs to, as far as it is
// known. The one in the context may have ended.
func inboundOf(ctx context.Context) *Request {
	if ctx != nil {
		if r, ok := ctx.Value(inboundKey{}).(*Request); ok {
			return r
		}
	}
	return openInboundOf(currentGoroutine())
}

// Open inbound calls by goroutine id.
const inboundBuckets = 1 << 10

type inboundBucket struct {
	mu    sync.Mutex
	first *Request // innermost first
}

var openInbound [inboundBuckets]inboundBucket

// addToOpen makes r the innermost open inbound call of its goroutine.
//
//go:norace
func (r *Request) addToOpen() {
	disableRaceDetector()
	defer enableRaceDetector()
	r.isListed = true
	b := &openInbound[r.goroutine%inboundBuckets]
	b.mu.Lock()
	r.next = b.first
	b.first = r
	b.mu.Unlock()
}

//go:norace
func (r *Request) removeFromOpen() {
	disableRaceDetector()
	defer enableRaceDetector()
	b := &openInbound[r.goroutine%inboundBuckets]
	b.mu.Lock()
	for at := &b.first; *at != nil; at = &(*at).next {
		if *at == r {
			*at = r.next
			break
		}
	}
	b.mu.Unlock()
	r.next = nil
}

// openInboundOf returns the innermost open inbound call of a goroutine.
//
//go:norace
func openInboundOf(goroutine uint64) *Request {
	disableRaceDetector()
	defer enableRaceDetector()
	b := &openInbound[goroutine%inboundBuckets]
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.first
	for r != nil && r.goroutine != goroutine {
		r = r.next
	}
	return r
}

// begin records the entry of the request. It reports whether the request is recorded.
//
//go:norace
func (r *Request) begin(kind requestKind, line *requestLine, record requestRecordOf) bool {
	disableRaceDetector()
	defer enableRaceDetector()
	if record.number == 0 {
		record.number = lastRequest.Add(1)
	}
	f := requestFunction(kind, line)
	if f == nil {
		return false
	}
	now := ticks()
	var t *track
	if r.isDetached {
		t = newTrack(detachedTracks+record.number, trackLink{})
		t.origin = origin{parent: currentGoroutine(), start: now}
	} else {
		t = currentTrack()
	}
	r.track, r.goroutine, r.depth = t, t.id, t.depth
	r.function, r.number = f, record.number
	isRecorded := t.recordRequest(f, now, &record)
	if !isRecorded && t.depth == 0 && !fast && !r.isDetached {
		releaseTrack(t)
	}
	return isRecorded
}

// currentGoroutine returns the id of this goroutine.
//
//go:norace
func currentGoroutine() uint64 {
	if fast {
		_, id, _ := state()
		return id
	}
	return goroutineID()
}

// detachedTracks is above all ids of goroutines.
const detachedTracks = 1 << 48

// End reports the end of the request. status is that of HTTP or the code of gRPC, -1 if there is none;
// route is the pattern that the request has matched; failure is an error or a text, or nil.
//
//go:norace
func (r *Request) End(status int, route string, failure any) {
	if r == nil || r.isEnded.Swap(true) {
		return
	}
	if r.isListed {
		r.removeFromOpen()
	}
	disableRaceDetector()
	value := 0
	if kind := r.function.request; status >= 0 && status <= maxStatus {
		value = status | int(routeFunction(kind, r.method, route))<<routeShift
		if kind.protocol == GRPC {
			value |= isGRPC
		} else if status == 0 {
			value = 0
		}
	}
	open := r.track.recordRequestEnd(r, value, failure)
	enableRaceDetector()
	if open == 0 && !fast && !r.isDetached {
		releaseTrack(r.track)
	}
}
