package spans

import (
	"encoding/binary"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/ids"
)

// A Batch of spans, encoded as the field ScopeSpans.spans.
type Batch struct {
	Spans int
	Bytes []byte
}

// A collector accepts 4 MiB over gRPC by default.
const (
	maxBatchSpans = 2048
	maxBatchBytes = 1 << 20
)

func (b *Batch) isFull() bool { return b.Spans >= maxBatchSpans || len(b.Bytes) >= maxBatchBytes }

const (
	flags = uint32(1 | 2 | // W3C's sampled and random
		trace.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	maxChains  = 1000 // encoded chains that are cached
	maxParents = 128  // functions of parent tracks in the attribute functrace.chain
)

// An encoder encodes spans. Encoded parts of a message can be concatenated, so the fields that the
// spans of a function or a track share are encoded once.
type encoder struct {
	file      *follow.Follower
	rate      ids.Rate
	functions [][]byte
	track     *calls.Track
	trackPart []byte
	chains    map[string][]byte
}

func newEncoder(file *follow.Follower, rate ids.Rate) encoder {
	return encoder{file: file, rate: rate, chains: map[string][]byte{}}
}

// add appends the span of an ended call to a batch.
func (e *encoder) add(batch *Batch, c *calls.Call) {
	if e.track != c.Track {
		e.track, e.trackPart = c.Track, part(&trace.Span{Attributes: trackAttributes(c.Track)})
	}
	function := e.functionPart(c.Function)
	start, end := e.times(c)
	var own [64]byte
	message := appendOwn(own[:0], c, start, end)
	rare := e.rarePart(c, end)
	size := len(function) + len(e.trackPart) + len(message) + len(rare)
	b := batch.Bytes
	if b == nil {
		b = make([]byte, 0, maxBatchBytes/4)
	}
	b = protowire.AppendTag(b, 2, protowire.BytesType) // ScopeSpans.spans
	b = protowire.AppendVarint(b, uint64(size))
	b = append(append(append(append(b, function...), e.trackPart...), message...), rare...)
	batch.Bytes = b
	batch.Spans++
}

// times returns the call's times in nanoseconds since 1970.
func (e *encoder) times(c *calls.Call) (start, end uint64) {
	header := &e.file.Header
	start = header.Started + uint64(header.Clock.Nanoseconds(c.Start))
	if start < header.Started {
		start = 1<<64 - 1
	}
	end = start + uint64(header.Clock.Nanoseconds(c.End-c.Start))
	if end < start {
		end = 1<<64 - 1
	}
	return start, end
}

// appendOwn appends the fields that differ from span to span, by their numbers in Span.
func appendOwn(b []byte, c *calls.Call, start, end uint64) []byte {
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendBytes(b, c.TraceID[:])
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendBytes(b, c.SpanID[:])
	if parent := parentOf(c); parent != nil {
		b = protowire.AppendTag(b, 4, protowire.BytesType)
		b = protowire.AppendBytes(b, parent[:])
	}
	b = protowire.AppendTag(b, 7, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, start)
	b = protowire.AppendTag(b, 8, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, end)
}

// parentOf returns the id of the parent span; nil if there is none.
func parentOf(c *calls.Call) *ids.SpanID {
	switch {
	case c.IsRoot:
		return c.Remote
	case c.Caller != nil:
		return &c.Caller.SpanID
	case c.Track.Parent != nil:
		return &c.Track.Parent.SpanID
	}
	return nil
}

// functionPart returns the fields that the spans of a function share.
func (e *encoder) functionPart(index int32) []byte {
	for len(e.functions) <= int(index) {
		function := e.file.Facts.Functions[len(e.functions)]
		var attributes []*common.KeyValue
		if function.Direction == 0 {
			attributes = functionAttributes(function)
		}
		e.functions = append(e.functions, part(&trace.Span{
			Name:       shortName(function.Name),
			Kind:       trace.Span_SPAN_KIND_INTERNAL,
			Flags:      flags,
			TraceState: e.rate.State(),
			Attributes: attributes,
		}))
	}
	return e.functions[index]
}

func functionAttributes(function follow.Function) []*common.KeyValue {
	attributes := []*common.KeyValue{text("code.function.name", function.Name)}
	if function.File != "" {
		attributes = append(attributes, text("code.file.path", function.File))
	}
	if function.Line != 0 {
		attributes = append(attributes, number("code.line.number", int64(function.Line)))
	}
	return attributes
}

var trackKinds = [...]string{"functrace.unknown", "functrace.goroutine", "thread", "functrace.task"}

// trackAttributes returns the attributes that the spans of a track share. The semantic conventions
// define names for threads only.
func trackAttributes(t *calls.Track) []*common.KeyValue {
	prefix := trackKinds[t.Kind]
	attributes := []*common.KeyValue{unsigned(prefix+".id", t.ID)}
	if t.Name != "" {
		attributes = append(attributes, text(prefix+".name", t.Name))
	}
	return attributes
}

// rarePart returns the fields that most spans do not have.
func (e *encoder) rarePart(c *calls.Call, end uint64) []byte {
	hasChain := c.IsRoot && (c.Caller != nil || c.Track.Parent != nil)
	if c.Failure == (calls.Failure{}) && c.Suspended == 0 && !hasChain && c.Request == nil {
		return nil
	}
	span := trace.Span{}
	if c.IsUnfinished {
		span.Attributes = append(span.Attributes, boolean("functrace.unfinished"))
	}
	if c.IsGoexit {
		span.Attributes = append(span.Attributes, boolean("functrace.goexit"))
	}
	if ns := e.file.Header.Clock.Nanoseconds(c.Suspended); ns != 0 {
		span.Attributes = append(span.Attributes, number("functrace.suspended_ns", ns))
	}
	if c.IsError || c.IsPanic {
		e.addFailure(&span, c, end)
	}
	encoded := part(&span)
	if hasChain {
		encoded = e.appendChain(encoded, c)
	}
	if c.Request != nil {
		encoded = append(encoded, e.requestPart(c)...)
	}
	return encoded
}

func (e *encoder) addFailure(span *trace.Span, c *calls.Call, end uint64) {
	ellipsis := ""
	if c.IsTextCut {
		ellipsis = "…"
	}
	kind, message := exception(e.file.Header.Language, c.Text, c.IsPanic)
	span.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: c.Text + ellipsis}
	span.Events = []*trace.Span_Event{{
		Name:         "exception",
		TimeUnixNano: end,
		Attributes:   []*common.KeyValue{text("exception.type", kind), text("exception.message", message+ellipsis)},
	}}
}

// appendChain appends the call chain above a root, and a link to the root's caller if that is sent.
func (e *encoder) appendChain(b []byte, c *calls.Call) []byte {
	caller := c.Caller
	if caller == nil {
		caller = c.Track.Parent
	}
	b = append(b, e.chainPart(chainOf(caller, c.Caller != nil))...)
	if caller.TraceID == (ids.TraceID{}) || !e.rate.IsSampled(caller.TraceID) {
		return b
	}
	link := &trace.Span_Link{TraceId: caller.TraceID[:], SpanId: caller.SpanID[:], Flags: flags}
	return append(b, part(&trace.Span{Links: []*trace.Span_Link{link}})...)
}

// chainOf returns the functions from a call to its outermost caller: all of the root's own track, and
// the innermost maxParents of its parent tracks.
func chainOf(c *calls.Call, isSameTrack bool) []int32 {
	var chain []int32
	for ; isSameTrack && c != nil; c = c.Caller {
		chain = append(chain, c.Function)
		if c.Caller == nil {
			c = c.Track.Parent
			break
		}
	}
	for limit := len(chain) + maxParents; c != nil && len(chain) < limit; {
		chain = append(chain, c.Function)
		if c.Caller != nil {
			c = c.Caller
		} else {
			c = c.Track.Parent
		}
	}
	return chain
}

// chainPart returns the attribute functrace.chain; many tracks have the same.
func (e *encoder) chainPart(chain []int32) []byte {
	key := make([]byte, 0, 4*len(chain))
	for _, function := range chain {
		key = binary.LittleEndian.AppendUint32(key, uint32(function))
	}
	if cached, isCached := e.chains[string(key)]; isCached {
		return cached
	}
	if len(e.chains) >= maxChains {
		clear(e.chains)
	}
	names := make([]string, 0, len(chain))
	for i := len(chain) - 1; i >= 0; i-- {
		names = append(names, e.file.Facts.Functions[chain[i]].Name)
	}
	encoded := part(&trace.Span{Attributes: []*common.KeyValue{texts("functrace.chain", names)}})
	e.chains[string(key)] = encoded
	return encoded
}

// part encodes some fields of a span.
func part(span *trace.Span) []byte {
	encoded, err := proto.Marshal(span)
	if err != nil {
		panic(err) // only an invalid text could cause it, and all texts are valid
	}
	return encoded
}
