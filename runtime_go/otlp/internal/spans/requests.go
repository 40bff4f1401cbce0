package spans

import (
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

// A place in an OpenTelemetry trace, below a span or, without a parent, at the top.
type place struct {
	traceID ids.TraceID
	parent  *ids.SpanID
}

// beginRequest moves a request that has begun to its own place, if its call is to be sent.
func (m *Maker) beginRequest(c *calls.Call) {
	r := c.Request
	at := m.placeOf(c)
	if r.IsInbound {
		m.noteInbound(c)
	}
	if c.TraceID == (ids.TraceID{}) {
		return
	}
	if r.HasOwnIDs {
		c.SpanID = r.SpanID
		if at == nil || at.traceID != r.TraceID {
			at = &place{traceID: r.TraceID}
		}
	}
	switch {
	case at != nil && (r.IsInbound || at.traceID != c.TraceID):
		c.TraceID, c.Remote, c.IsRoot = at.traceID, at.parent, true
	case r.IsInbound && !c.IsRoot:
		c.TraceID, c.IsRoot = c.OwnTrace, true
	}
	c.IsSampled = m.rate.IsSampled(c.TraceID)
}

// placeOf returns the place of a request: of an inbound call, below the span whose ids it received; of an
// outbound call whose caller is not in the inbound call's trace, below that. nil: it is where the call is.
func (m *Maker) placeOf(c *calls.Call) *place {
	r := c.Request
	if r.IsInbound {
		if !r.HasIDs || r.HasOwnIDs {
			return nil
		}
		return &place{r.TraceID, &r.SpanID}
	}
	outer := m.inbound[r.Inbound]
	if outer == nil || outer.Start > c.Start || outer.HasEnded && outer.End < c.Start {
		return nil
	}
	none := ids.TraceID{}
	if outer.TraceID == none || c.TraceID == none || outer.TraceID == c.TraceID {
		return nil
	}
	c.Outer = outer
	return &place{outer.TraceID, &outer.SpanID}
}

func (m *Maker) noteInbound(c *calls.Call) {
	number := c.Request.Number
	if _, isKnown := m.inbound[number]; isKnown {
		c = nil
	}
	m.inbound[number] = c
}

// requestPart returns the fields of a span that make it one of a request.
func (e *encoder) requestPart(c *calls.Call) []byte {
	r := requestOf{c.Request, e.file.Facts.Functions[c.Function].Name, "", -1}
	if c.HasStatus {
		r.status = int(c.Status & format.Code)
		if index := e.file.Facts.Index(int(c.Status >> format.RouteShift & (format.Functions - 1))); index >= 0 {
			r.route = e.file.Facts.Functions[index].Name
		}
	}
	span := trace.Span{Kind: trace.Span_SPAN_KIND_CLIENT, Name: r.name, Attributes: r.attributes()}
	if r.IsInbound {
		span.Kind = trace.Span_SPAN_KIND_SERVER
	}
	if r.route != "" {
		span.Name = r.route
	}
	if c.IsError || c.IsPanic {
		span.Attributes = append(span.Attributes, text("error.type", r.errorType()))
	}
	return part(&span)
}

// A requestOf is a request that has ended.
type requestOf struct {
	*calls.Request
	name   string
	route  string // as the framework names it; empty if it is unknown
	status int    // of HTTP or code of gRPC; -1 if it is unknown
}

// attributes returns those of OpenTelemetry's semantic conventions.
func (r *requestOf) attributes() []*common.KeyValue {
	attributes := r.http
	if r.IsGRPC {
		attributes = r.grpc
	}
	return append(attributes(), text("functrace.request", r.name))
}

const other = "_OTHER"

func (r *requestOf) http() []*common.KeyValue {
	method, target, _ := strings.Cut(r.name, " ")
	if method == "OTHER" {
		method = other
	}
	found := []*common.KeyValue{text("http.request.method", method)}
	if r.IsInbound && r.route != "" {
		_, pattern, _ := strings.Cut(r.route, " ")
		found = append(found, text("http.route", pattern))
	}
	if r.IsInbound && strings.HasPrefix(target, "/") {
		found = append(found, text("url.path", target))
	}
	if host, path, _ := strings.Cut(target, "/"); !r.IsInbound && host != "" {
		found = append(found, text("server.address", host), text("url.template", "/"+path))
	}
	if r.status > 0 {
		found = append(found, number("http.response.status_code", int64(r.status)))
	}
	return found
}

func (r *requestOf) grpc() []*common.KeyValue {
	name := strings.TrimPrefix(r.name, "grpc ")
	at := strings.LastIndexByte(name, '/')
	found := []*common.KeyValue{text("rpc.system", "grpc"), text("rpc.method", name[at+1:])}
	if at > 0 {
		found = append(found, text("rpc.service", name[:at]))
	}
	if r.status >= 0 {
		found = append(found, number("rpc.grpc.status_code", int64(r.status)))
	}
	return found
}

var grpcCodes = strings.Fields(`
	OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS
	PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED
	INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED
`)

// errorType returns the status of a failed request, if it has one.
func (r *requestOf) errorType() string {
	switch {
	case r.IsGRPC && r.status > 0 && r.status < len(grpcCodes):
		return grpcCodes[r.status]
	case !r.IsGRPC && r.status >= 400:
		return strconv.Itoa(r.status)
	}
	return other
}
