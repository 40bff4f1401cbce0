package ids

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// OpenTelemetry's consistent probability sampling compares the last 56 bits of a trace id.
const randomBits = 56

// A Rate is the share of OpenTelemetry traces that is sent: all processes and tools choose the same.
// Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
type Rate struct {
	threshold uint64
}

// NewRate returns the rate for a share, greater than 0 and at most 1.
func NewRate(share float64) Rate {
	scaled := math.RoundToEven((1 - share) * (1 << randomBits))
	return Rate{min(uint64(scaled), 1<<randomBits-1)}
}

// State returns the tracestate of sampled traces, from which a backend can estimate the total.
func (r Rate) State() string {
	if r.threshold == 0 {
		return ""
	}
	return "ot=th:" + strings.TrimRight(fmt.Sprintf("%014x", r.threshold), "0")
}

// IsSampled reports whether the trace with this id is sent.
func (r Rate) IsSampled(id TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])&(1<<randomBits-1) >= r.threshold
}
