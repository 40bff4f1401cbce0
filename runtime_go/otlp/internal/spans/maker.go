package spans

import (
	"fmt"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

// A Maker makes spans of calls; it is their observer.
type Maker struct {
	WithoutEnd uint64 // calls that are not sent because their exits were overwritten

	file    *follow.Follower
	options Options
	rate    ids.Rate
	roots   roots
	inbound map[uint64]*calls.Call // open inbound calls by number; nil if several have the number
	encoder encoder
	batch   Batch
	send    func(Batch)
}

// New returns a maker for the calls of a file, which passes full batches to send.
func New(file *follow.Follower, options Options, send func(Batch)) *Maker {
	rate := ids.NewRate(options.Share)
	return &Maker{
		file:    file,
		options: options,
		rate:    rate,
		roots:   newRoots(options.Roots, &file.Facts),
		inbound: map[uint64]*calls.Call{},
		encoder: newEncoder(file, rate),
		send:    send,
	}
}

// Begin assigns the call to an OpenTelemetry trace. Without roots, the outermost call of a track is the
// root of one.
func (m *Maker) Begin(c *calls.Call) {
	caller := c.Caller
	if caller == nil && m.roots.exist {
		caller = c.Track.Parent
	}
	switch {
	case caller != nil && caller.TraceID != (ids.TraceID{}):
		c.TraceID, c.IsSampled = caller.TraceID, caller.IsSampled
	case !m.roots.exist || m.roots.contain(c.Function):
		c.TraceID, c.IsRoot, c.IsSampled = c.OwnTrace, true, m.rate.IsSampled(c.OwnTrace)
	}
	if c.Request != nil {
		m.beginRequest(c)
	}
}

// End adds the call's span, if it is to be sent.
func (m *Maker) End(c *calls.Call) {
	c.IsReported = true
	if c.Request != nil && c.Request.IsInbound {
		delete(m.inbound, c.Request.Number)
	}
	switch {
	case c.IsEndUnknown:
		m.WithoutEnd++
	case !m.options.hasFilter() || c.IsSelected:
		if c.IsSampled {
			m.add(c)
		}
	case m.matches(c):
		m.selectChain(c)
	}
}

// matches reports whether the filters match the call itself.
func (m *Maker) matches(c *calls.Call) bool {
	durationNs := m.file.Header.Clock.Nanoseconds(c.End - c.Start)
	return m.options.Errors && (c.IsError || c.IsPanic) || m.options.MinDurationNs >= 0 && durationNs >= m.options.MinDurationNs
}

// selectChain selects the call, its callers and the calls that spans of these are below, each once. Open
// ones are added when they end.
func (m *Maker) selectChain(c *calls.Call) {
	for c != nil && !c.IsSelected {
		c.IsSelected = true
		if c.Outer != nil {
			m.selectChain(c.Outer)
		}
		if c.IsReported && c.IsSampled && !c.IsEndUnknown {
			m.add(c)
		}
		if c.Caller != nil {
			c = c.Caller
		} else {
			c = c.Track.Parent
		}
	}
}

func (m *Maker) add(c *calls.Call) {
	m.encoder.add(&m.batch, c)
	if m.batch.isFull() {
		m.Flush()
	}
}

// Flush passes on the spans added so far.
func (m *Maker) Flush() {
	if m.batch.Spans > 0 {
		m.send(m.batch)
		m.batch = Batch{}
	}
}

// roots are the functions that match globs.
type roots struct {
	exist     bool
	matcher   matcher
	facts     *follow.Facts
	isMatched []bool // by function
}

func newRoots(globs []string, facts *follow.Facts) roots {
	r := roots{exist: len(globs) > 0, facts: facts}
	if r.exist {
		r.matcher = newMatcher(globs)
	}
	return r
}

func (r *roots) contain(function int32) bool {
	for len(r.isMatched) <= int(function) {
		name := r.facts.Functions[len(r.isMatched)].Name
		r.isMatched = append(r.isMatched, r.matcher.matches(name))
	}
	return r.isMatched[function]
}

// Identity returns the identity of the process.
func Identity(facts *follow.Facts, header *format.Header) ids.Identity {
	host := ""
	if value, isSet := facts.Process["host"]; isSet {
		host = fmt.Sprint(value)
	}
	return ids.Of(host, header.PID, header.Started)
}
