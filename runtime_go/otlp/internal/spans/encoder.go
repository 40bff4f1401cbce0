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

// A Batch of spans, encoded as the field of ScopeSpans that has them.
type Batch struct {
	Spans int
	Bytes []byte
}

// A collector takes 4 MiB over gRPC if nobody told it otherwise.
const (
	batchSpans = 2048
	batchBytes = 1 << 20
)

func (b *Batch) isFull() bool { return b.Spans >= batchSpans || len(b.Bytes) >= batchBytes }

const (
	flags = uint32(1 | 2 | // W3C's sampled and random
		trace.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	mostChains = 1000 // that are kept encoded
	mostInner  = 128  // functions of a chain above an OpenTelemetry trace that are told
)

// An encoder makes the messages of spans: what follows each other in an encoded message is one
// message, so that what calls of a function and of a track share is encoded once.
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

// add puts the span of a call that has ended into a batch.
func (e *encoder) add(batch *Batch, c *calls.Call) {
	if e.track != c.Track {
		e.track, e.trackPart = c.Track, part(&trace.Span{Attributes: e.ofTrack(c.Track)})
	}
	function := e.function(c.Function)
	start, end := e.times(c)
	var own [64]byte
	message := appendOwn(own[:0], c, start, end)
	rare := e.rare(c, end)
	size := len(function) + len(e.trackPart) + len(message) + len(rare)
	b := batch.Bytes
	if b == nil {
		b = make([]byte, 0, batchBytes/4)
	}
	b = protowire.AppendTag(b, 2, protowire.BytesType) // ScopeSpans.spans
	b = protowire.AppendVarint(b, uint64(size))
	b = append(append(append(append(b, function...), e.trackPart...), message...), rare...)
	batch.Bytes = b
	batch.Spans++
}

// times are nanoseconds since 1970.
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

// appendOwn appends what is each span's own, most of it: Span's fields by number.
func appendOwn(b []byte, c *calls.Call, start, end uint64) []byte {
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendBytes(b, c.TraceID[:])
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	b = protowire.AppendBytes(b, c.SpanID[:])
	if parent := parentOf(c); parent != nil {
		b = protowire.AppendTag(b, 4, protowire.BytesType)
		b = protowire.AppendBytes(b, parent.SpanID[:])
	}
	b = protowire.AppendTag(b, 7, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, start)
	b = protowire.AppendTag(b, 8, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, end)
}

// parentOf returns the call whose span is the parent, nil where an OpenTelemetry trace begins.
func parentOf(c *calls.Call) *calls.Call {
	switch {
	case c.Begins:
		return nil
	case c.Above != nil:
		return c.Above
	default:
		return c.Track.Origin
	}
}

// function returns what spans of a function share.
func (e *encoder) function(index int32) []byte {
	for len(e.functions) <= int(index) {
		function := e.file.Facts.Functions[len(e.functions)]
		told := []*common.KeyValue{text("code.function.name", function.Name)}
		if function.File != "" {
			told = append(told, text("code.file.path", function.File))
		}
		if function.Line != 0 {
			told = append(told, number("code.line.number", int64(function.Line)))
		}
		e.functions = append(e.functions, part(&trace.Span{
			Name:       shortName(function.Name),
			Kind:       trace.Span_SPAN_KIND_INTERNAL,
			Flags:      flags,
			TraceState: e.rate.State(),
			Attributes: told,
		}))
	}
	return e.functions[index]
}

var trackKinds = [...]string{"functrace.unknown", "functrace.goroutine", "thread", "functrace.task"}

// ofTrack returns what spans of a track share: the semantic conventions have names for threads alone.
func (e *encoder) ofTrack(t *calls.Track) []*common.KeyValue {
	prefix := trackKinds[t.Kind]
	told := []*common.KeyValue{unsigned(prefix+".id", t.ID)}
	if t.Name != "" {
		told = append(told, text(prefix+".name", t.Name))
	}
	return told
}

// rare returns what most spans do not have.
func (e *encoder) rare(c *calls.Call, end uint64) []byte {
	hasAbove := c.Begins && (c.Above != nil || c.Track.Origin != nil)
	if c.Failure == (calls.Failure{}) && c.Waited == 0 && !hasAbove {
		return nil
	}
	span := trace.Span{}
	if c.Unfinished {
		span.Attributes = append(span.Attributes, truth("functrace.unfinished"))
	}
	if c.Goexit {
		span.Attributes = append(span.Attributes, truth("functrace.goexit"))
	}
	if waited := e.file.Header.Clock.Nanoseconds(c.Waited); waited != 0 {
		span.Attributes = append(span.Attributes, number("functrace.suspended_ns", waited))
	}
	if c.Error || c.Panic {
		e.addFailure(&span, c, end)
	}
	encoded := part(&span)
	if hasAbove {
		encoded = e.appendAbove(encoded, c)
	}
	return encoded
}

func (e *encoder) addFailure(span *trace.Span, c *calls.Call, end uint64) {
	more := ""
	if c.Cut {
		more = "…"
	}
	kind, told := failure(e.file.Header.Language, c.Text, c.Panic)
	span.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: c.Text + more}
	span.Events = []*trace.Span_Event{{
		Name:         "exception",
		TimeUnixNano: end,
		Attributes:   []*common.KeyValue{text("exception.type", kind), text("exception.message", told+more)},
	}}
}

// appendAbove appends what a root goes on in.
func (e *encoder) appendAbove(b []byte, c *calls.Call) []byte {
	above := c.Above
	if above == nil {
		above = c.Track.Origin
	}
	b = append(b, e.chain(chainOf(above, c.Above != nil))...)
	if above.TraceID == (ids.TraceID{}) || !e.rate.Keeps(above.TraceID) {
		return b
	}
	link := &trace.Span_Link{TraceId: above.TraceID[:], SpanId: above.SpanID[:], Flags: flags}
	return append(b, part(&trace.Span{Links: []*trace.Span_Link{link}})...)
}

// chainOf returns the functions from a call on upwards: all of its own track, if that is the root's,
// and of the tracks above the innermost.
func chainOf(c *calls.Call, isSameTrack bool) []int32 {
	var chain []int32
	for ; isSameTrack && c != nil; c = c.Above {
		chain = append(chain, c.Function)
		if c.Above == nil {
			c = c.Track.Origin
			break
		}
	}
	for most := len(chain) + mostInner; c != nil && len(chain) < most; {
		chain = append(chain, c.Function)
		if c.Above != nil {
			c = c.Above
		} else {
			c = c.Track.Origin
		}
	}
	return chain
}

// chain returns the attribute; many tracks go on in the same chain.
func (e *encoder) chain(chain []int32) []byte {
	key := make([]byte, 0, 4*len(chain))
	for _, function := range chain {
		key = binary.LittleEndian.AppendUint32(key, uint32(function))
	}
	if known, isKnown := e.chains[string(key)]; isKnown {
		return known
	}
	if len(e.chains) >= mostChains {
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

// part encodes some of a span.
func part(span *trace.Span) []byte {
	encoded, err := proto.Marshal(span)
	if err != nil {
		panic(err) // all texts are valid, and there is nothing else that can be wrong
	}
	return encoded
}
