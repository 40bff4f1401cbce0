package ids

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// OpenTelemetry's consistent probability sampling compares the last 56 bits of a trace id.
const randomBits = 56

// A Rate is which share of OpenTelemetry traces is kept: the same ones by every process and tool.
// Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
type Rate struct {
	threshold uint64
}

// NewRate returns that for a share above 0 and at most 1.
func NewRate(share float64) Rate {
	scaled := math.RoundToEven((1 - share) * (1 << randomBits))
	return Rate{min(uint64(scaled), 1<<randomBits-1)}
}

// State is the tracestate of what is kept, from which a backend can count what is not.
func (r Rate) State() string {
	if r.threshold == 0 {
		return ""
	}
	return "ot=th:" + strings.TrimRight(fmt.Sprintf("%014x", r.threshold), "0")
}

// Keeps reports whether the trace with this id is sent.
func (r Rate) Keeps(id TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])&(1<<randomBits-1) >= r.threshold
}
