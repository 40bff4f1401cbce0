// Package ids makes the ids of OpenTelemetry traces and spans: the same for the same calls,
// whether they are sent while the program runs or from a recording. functrace/export/otlp/ids.py is
// the same in Python.
package ids

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// A TraceID is OpenTelemetry's; zeros are none.
type TraceID [16]byte

// A SpanID likewise.
type SpanID [8]byte

// An Identity is what tells a process from all others.
type Identity struct {
	seed [16]byte
}

// Of returns the identity of a process: started is in nanoseconds since 1970.
func Of(host string, pid int, started uint64) Identity {
	facts := fmt.Sprintf("%s\x00%d\x00%d", host, pid, started)
	state := newState(16, nil, 0)
	hash := state.sum([]byte(facts))
	return Identity{[16]byte(hash[:16])}
}

// Instance returns a UUID for the process.
func (i Identity) Instance() string {
	b := i.seed
	b[6] = b[6]&0x0f | 4<<4
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// Track returns what makes the ids of a track's calls.
func (i Identity) Track(id uint64) Track {
	return Track{state: newState(24, i.seed[:], id)}
}

// A Track makes the ids of a track's calls, which come in the order of their beginnings.
type Track struct {
	state state
	start int64
	here  []again
}

// again counts the calls of a function that began at the very same time.
type again struct {
	function int32
	count    uint32
}

// Next returns a trace id for what begins with the call, and the call's span id. They depend on nothing
// that is not known when the call begins.
func (t *Track) Next(function int32, start int64) (trace TraceID, span SpanID) {
	var call [16]byte
	binary.LittleEndian.PutUint64(call[:], uint64(start))
	binary.LittleEndian.PutUint32(call[8:], uint32(function))
	binary.LittleEndian.PutUint32(call[12:], t.count(function, start))
	hash := t.state.sum(call[:])
	return TraceID(hash[:16]), SpanID(hash[16:24])
}

func (t *Track) count(function int32, start int64) uint32 {
	if start != t.start {
		t.start = start
		t.here = t.here[:0]
	}
	for i := range t.here {
		if each := &t.here[i]; each.function == function {
			each.count++
			return each.count
		}
	}
	t.here = append(t.here, again{function: function})
	return 0
}
