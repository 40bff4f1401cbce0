package spans

import (
	"fmt"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

// A Maker makes spans of the calls that it is told of.
type Maker struct {
	file    *follow.Follower
	options Options
	rate    ids.Rate
	roots   roots
	encoder encoder
	batch   Batch
	take    func(Batch)
}

// New returns a maker for the calls of a file; take gets batches that are full.
func New(file *follow.Follower, options Options, take func(Batch)) *Maker {
	rate := ids.NewRate(options.Share)
	return &Maker{
		file:    file,
		options: options,
		rate:    rate,
		roots:   newRoots(options.Roots, &file.Facts),
		encoder: newEncoder(file, rate),
		take:    take,
	}
}

// Begin decides which OpenTelemetry trace the call is in: without roots, what comes first on a track
// begins one.
func (m *Maker) Begin(c *calls.Call) {
	around := c.Above
	if around == nil && m.roots.any {
		around = c.Track.Origin
	}
	switch {
	case around != nil && around.TraceID != (ids.TraceID{}):
		c.TraceID, c.Kept = around.TraceID, around.Kept
	case !m.roots.any || m.roots.has(c.Function):
		c.TraceID, c.Begins, c.Kept = c.OwnTrace, true, m.rate.Keeps(c.OwnTrace)
	}
}

// End sends the call, if it is to be.
func (m *Maker) End(c *calls.Call) {
	switch {
	case !m.options.chooses():
		if c.Kept {
			m.send(c)
		}
	case c.Taken:
		if c.Kept {
			m.send(c)
		}
	case m.wants(c):
		m.takeUp(c)
	}
}

// wants reports whether the call is sent for its own sake.
func (m *Maker) wants(c *calls.Call) bool {
	duration := m.file.Header.Clock.Nanoseconds(c.End - c.Start)
	return m.options.Errors && (c.Error || c.Panic) || m.options.Slow >= 0 && duration >= m.options.Slow
}

// takeUp takes the call and those above it, each once. What is open is sent when it ends.
func (m *Maker) takeUp(c *calls.Call) {
	for c != nil && !c.Taken {
		c.Taken = true
		if c.HasEnded && c.Kept {
			m.send(c)
		}
		if c.Above != nil {
			c = c.Above
		} else {
			c = c.Track.Origin
		}
	}
}

func (m *Maker) send(c *calls.Call) {
	m.encoder.add(&m.batch, c)
	if m.batch.isFull() {
		m.Flush()
	}
}

// Flush hands on the spans that there are.
func (m *Maker) Flush() {
	if m.batch.Spans > 0 {
		m.take(m.batch)
		m.batch = Batch{}
	}
}

// roots are the functions that globs mean.
type roots struct {
	any   bool
	namer namer
	facts *follow.Facts
	known []bool // by function
}

func newRoots(globs []string, facts *follow.Facts) roots {
	r := roots{any: len(globs) > 0, facts: facts}
	if r.any {
		r.namer = newNamer(globs)
	}
	return r
}

func (r *roots) has(function int32) bool {
	for len(r.known) <= int(function) {
		r.known = append(r.known, r.namer.means(r.facts.Functions[len(r.known)].Name))
	}
	return r.known[function]
}

// Identity returns that of the process.
func Identity(facts *follow.Facts, header *format.Header) ids.Identity {
	host := ""
	if told, isTold := facts.Process["host"]; isTold {
		host = fmt.Sprint(told)
	}
	return ids.Of(host, header.PID, header.Started)
}
