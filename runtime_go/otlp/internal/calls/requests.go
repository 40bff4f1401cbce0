package calls

import (
	"encoding/binary"

	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/format"
	"functrace/otlp/internal/ids"
)

// A Request is the content of a request record.
type Request struct {
	IsInbound, IsGRPC bool
	Number            uint64
	Inbound           uint64 // the number of the inbound call that an outbound one belongs to; 0 if it is unknown
	HasIDs            bool
	HasOwnIDs         bool // functrace made the ids
	TraceID           ids.TraceID
	SpanID            ids.SpanID
}

// beginRequest takes a record about the innermost open call, if that stands for requests.
func (t *Track) beginRequest(value uint64, payload []byte) {
	isHidden := t.hidden > 0 && t.hiddenIndex == t.depth()
	if isHidden || len(t.open) == 0 {
		return
	}
	c := t.open[len(t.open)-1]
	direction := t.calls.facts.Functions[c.Function].Direction
	if c.Request == nil && direction != 0 && uint64(direction) == value&format.Direction {
		c.Request = parseRequest(value, payload)
	}
}

// parseRequest returns nil if the record is not valid. The payload may be longer than it must be.
func parseRequest(value uint64, payload []byte) *Request {
	isInbound, hasIDs, hasCaller := value&format.Direction == format.Inbound, value&format.HasIDs != 0, value&format.HasCaller != 0
	size := 8
	if !isInbound {
		size += 8
	}
	if hasIDs {
		size += 24
	}
	if hasCaller {
		size += 16
	}
	if len(payload) < size || hasCaller && !isInbound {
		return nil
	}
	r := &Request{
		IsInbound: isInbound,
		IsGRPC:    value>>format.ProtocolShift&format.Protocol == format.GRPC,
		Number:    binary.LittleEndian.Uint64(payload),
		HasIDs:    hasIDs,
		HasOwnIDs: hasIDs && value&format.HasOwnIDs != 0,
	}
	rest := payload[8:]
	if !isInbound {
		r.Inbound, rest = binary.LittleEndian.Uint64(rest), rest[8:]
	}
	if hasIDs {
		copy(r.TraceID[:], rest)
		copy(r.SpanID[:], rest[16:])
	}
	if r.TraceID == (ids.TraceID{}) || r.SpanID == (ids.SpanID{}) {
		r.HasIDs, r.HasOwnIDs, r.TraceID, r.SpanID = false, false, ids.TraceID{}, ids.SpanID{}
	}
	if r.Number == 0 {
		return nil
	}
	return r
}

// awaitsRequest reports whether a word is the entry of a request, whose record is right behind it.
func (t *Track) awaitsRequest(word format.Word) bool {
	if word.Kind() != format.Entry {
		return false
	}
	function := t.calls.facts.Index(word.Number())
	return function >= 0 && t.calls.facts.Functions[function].Direction != 0
}

// completeRequest moves a request record to the piece before, which ends with its entry: a piece is
// processed only when the time of its first event has come.
func (t *Track) completeRequest(piece *follow.Piece) {
	if len(piece.Words) == 0 {
		return
	}
	if word := format.WordAt(piece.Words); word.Kind() != format.Record || word.Type() != format.Request {
		return
	}
	for i := len(t.pieces) - 1; i >= 0; i-- {
		if before := &t.pieces[i]; before.Run == piece.Run {
			size := format.WordAt(piece.Words).Size()
			before.Words = append(before.Words, piece.Words[:size]...)
			piece.Words = piece.Words[size:]
			return
		}
	}
}
