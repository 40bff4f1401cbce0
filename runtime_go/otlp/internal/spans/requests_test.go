package spans

import (
	"testing"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/ids"
)

// An outbound call that has ids of its own in another OpenTelemetry trace is not below the inbound call.
func TestOwnIDsReplaceTheOuterCall(t *testing.T) {
	outer := &calls.Call{TraceID: ids.TraceID{1}, SpanID: ids.SpanID{1}}
	for own, want := range map[ids.TraceID]*calls.Call{{1}: outer, {3}: nil} {
		m := &Maker{rate: ids.NewRate(1), inbound: map[uint64]*calls.Call{5: outer}}
		request := &calls.Request{Number: 6, Inbound: 5, HasIDs: true, HasOwnIDs: true, TraceID: own, SpanID: ids.SpanID{4}}
		c := &calls.Call{TraceID: ids.TraceID{2}, Request: request}
		m.beginRequest(c)
		if c.TraceID != own || c.Outer != want {
			t.Errorf("ids in trace %v: trace %v, outer call %v", own, c.TraceID, c.Outer)
		}
	}
}
