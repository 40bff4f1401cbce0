package calls

import (
	"encoding/binary"
	"testing"

	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

func TestIDsOfZerosAreNone(t *testing.T) {
	for _, ones := range []struct {
		trace, span byte
		want        bool
	}{{0, 0, false}, {0, 1, false}, {1, 0, false}, {1, 1, true}} {
		payload := binary.LittleEndian.AppendUint64(nil, 7)
		payload = append(payload, make([]byte, 24)...)
		payload[8], payload[31] = ones.trace, ones.span
		r := parseRequest(format.Inbound|format.HasIDs|format.HasOwnIDs, payload)
		if r == nil || r.HasIDs != ones.want || r.HasOwnIDs != ones.want {
			t.Fatalf("%v: %+v", ones, r)
		}
		if !ones.want && (r.TraceID != ids.TraceID{} || r.SpanID != ids.SpanID{}) {
			t.Errorf("%v: %+v", ones, r)
		}
	}
}
