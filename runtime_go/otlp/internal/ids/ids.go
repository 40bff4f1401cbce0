// Package ids derives the ids of OpenTelemetry traces and spans from process and call. The same call
// has the same ids, whether it is sent live or exported from a recording.
// functrace/export/otlp/ids.py computes the same in Python.
package ids

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// A TraceID of OpenTelemetry; zeros stand for none.
type TraceID [16]byte

// A SpanID of OpenTelemetry.
type SpanID [8]byte

const callBytes = len(TraceID{}) + len(SpanID{})

// An Identity distinguishes a process from all others. It and its tracks are for one goroutine.
type Identity struct {
	seed   [16]byte
	hasher *hasher
}

// Of returns the identity of a process that started at a time in nanoseconds since 1970.
func Of(host string, pid int, startedNs uint64) Identity {
	facts := fmt.Sprintf("%s\x00%d\x00%d", host, pid, startedNs)
	identity := Identity{hasher: newHasher()}
	digest := newDigest(len(identity.seed))
	digest.Write([]byte(facts))
	digest.Sum(identity.seed[:0])
	return identity
}

// newDigest returns a BLAKE2b hash without a key.
func newDigest(size int) hash.Hash {
	digest, err := blake2b.New(size, nil)
	if err != nil {
		panic(err) // the sizes in this package are valid
	}
	return digest
}

// Instance returns a UUID for the process.
func (i Identity) Instance() string {
	b := i.seed
	b[6] = b[6]&0x0f | 4<<4
	b[8] = b[8]&0x3f | 0x80
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// Track returns a generator of the ids of a track's calls.
func (i Identity) Track(id uint64) Track {
	return Track{seed: i.seed, id: id, hasher: i.hasher}
}

// A Track generates the ids of a track's calls, in order of their starts.
type Track struct {
	seed   [16]byte
	id     uint64
	hasher *hasher
	start  int64
	counts []startCount
}

// A startCount counts the calls of a function that began at the same tick.
type startCount struct {
	function int32
	count    uint32
}

// Next returns the id of the trace whose root the call would be, and the call's span id. They depend
// only on what is known when the call begins.
func (t *Track) Next(function int32, start int64) (trace TraceID, span SpanID) {
	return t.hasher.hash(&t.seed, t.id, start, function, t.count(function, start))
}

func (t *Track) count(function int32, start int64) uint32 {
	if start != t.start {
		t.start = start
		t.counts = t.counts[:0]
	}
	for i := range t.counts {
		if each := &t.counts[i]; each.function == function {
			each.count++
			return each.count
		}
	}
	t.counts = append(t.counts, startCount{function: function})
	return 0
}

// A hasher reuses its buffers: every call is hashed.
type hasher struct {
	digest hash.Hash
	input  [40]byte
	output [callBytes]byte
}

func newHasher() *hasher { return &hasher{digest: newDigest(callBytes)} }

func (h *hasher) hash(
	seed *[16]byte, track uint64, start int64, function int32, count uint32,
) (trace TraceID, span SpanID) {
	copy(h.input[:], seed[:])
	binary.LittleEndian.PutUint64(h.input[16:], track)
	binary.LittleEndian.PutUint64(h.input[24:], uint64(start))
	binary.LittleEndian.PutUint32(h.input[32:], uint32(function))
	binary.LittleEndian.PutUint32(h.input[36:], count)
	h.digest.Reset()
	h.digest.Write(h.input[:])
	h.digest.Sum(h.output[:0])
	return TraceID(h.output[:16]), SpanID(h.output[16:])
}
