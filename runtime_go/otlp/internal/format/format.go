// Package format has the numbers and structures of docs/trace-format.md.
package format

import "encoding/binary"

const (
	HeaderBytes = 4096
	HeadBytes   = 40 // of a chunk
	ChunkStep   = 512
	ChunkLimit  = 16 << 20

	magic      = "FTRACE\r\n"
	chunkMagic = "CHNK"
	version    = 1
)

// Kinds of chunks.
const (
	Facts  = 1
	Events = 2
)

// Kinds of words.
const (
	Entry  = 1
	Exit   = 2
	Record = 3
)

// Types of records.
const (
	Base      = 1
	Track     = 2
	Error     = 3
	Panic     = 4
	Open      = 5
	Lost      = 6
	Suspended = 7
	Resumed   = 8
	Function  = 16
	Process   = 17
)

// Values of an error or a panic.
const (
	IsCut    = 1
	IsGoexit = 2
)

const (
	TrackBytes    = 32 // of a track record's payload, in front of the name
	OpenBytes     = 16
	FunctionBytes = 20 // in front of name and file
	Functions     = 1 << 20
)

// TimeLimit is the latest time after the trace's start, in ticks, so that a sum of two never
// overflows.
const TimeLimit = 1 << 60

// A Word is 8 bytes of a chunk.
type Word uint64

// WordAt returns the word that the bytes begin with; there are 8 at least.
func WordAt(data []byte) Word { return Word(binary.LittleEndian.Uint64(data)) }

// Kind says what the word is.
func (w Word) Kind() int { return int(w & 3) }

// Number is the function's, of an entry or exit.
func (w Word) Number() int { return int(w >> 2 & (Functions - 1)) }

// Ticks are those since the base, of an entry or exit.
func (w Word) Ticks() uint64 { return uint64(w >> 22) }

// Type is what a record tells.
func (w Word) Type() int { return int(w >> 2 & 0x3f) }

// Bytes is the length of a record's payload.
func (w Word) Bytes() int { return int(w >> 8 & 0xffff) }

// Value is a record's.
func (w Word) Value() uint64 { return uint64(w >> 24) }

// Size is how many bytes a record takes, its word and padding included.
func (w Word) Size() int { return 8 + (w.Bytes()+7)&^7 }

// Since returns the ticks after the trace's start; damaged ones are moved to where a time can be.
func Since(ticks, start uint64) int64 {
	if ticks < start {
		return 0
	}
	return int64(min(ticks-start, TimeLimit))
}

// A Head is what a chunk begins with.
type Head struct {
	Kind, Size, Open      int
	Sequence, Track, Base uint64
}

// HeadAt returns the head of the chunk that the bytes begin with; false where none does.
func HeadAt(data []byte) (Head, bool) {
	if len(data) < HeadBytes || string(data[:4]) != chunkMagic {
		return Head{}, false
	}
	head := Head{
		Kind:     int(binary.LittleEndian.Uint32(data[4:])),
		Size:     int(binary.LittleEndian.Uint32(data[8:])),
		Open:     int(binary.LittleEndian.Uint32(data[12:])),
		Sequence: binary.LittleEndian.Uint64(data[16:]),
		Track:    binary.LittleEndian.Uint64(data[24:]),
		Base:     binary.LittleEndian.Uint64(data[32:]),
	}
	isSensible := (head.Kind == Facts || head.Kind == Events) && head.Sequence > 0 &&
		head.Size >= ChunkStep && head.Size <= ChunkLimit && head.Size%ChunkStep == 0
	return head, isSensible
}
