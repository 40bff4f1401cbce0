// Package format defines the numbers and structures of docs/trace-format.md.
package format

import "encoding/binary"

const (
	HeaderBytes = 4096
	HeadBytes   = 40 // of a chunk
	ChunkStep   = 512
	ChunkLimit  = 16 << 20

	magic      = "FTRACE\r\n"
	chunkMagic = "CHNK"
	version    = 2
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
	Inherited = 9
	Switch    = 10
	Request   = 11
	Status    = 12
	Function  = 16
	Process   = 17

	RequestName = 19
)

// Values of an error or a panic record.
const (
	IsCut    = 1
	IsGoexit = 2
)

// IsInherited is a value of an open record.
const IsInherited = 1

// Parts of the value of a track record.
const (
	TrackKind  = 0xff
	TrackAgain = 1 << 8 // describes the run's track again
)

// Parts of the value of a switch record: the run's number, and how many calls are open.
const (
	RunBits = 24
	MaxRun  = 1<<RunBits - 1
	MaxOpen = 1<<16 - 1
)

// Parts of the value of a request record.
const (
	Direction     = 0x3
	Inbound       = 1
	Outbound      = 2
	ProtocolShift = 2
	Protocol      = 0xf
	GRPC          = 2
	HasIDs        = 1 << 8
	HasCaller     = 1 << 10
	HasOwnIDs     = 1 << 11
)

// Parts of the value of a status record.
const (
	Code       = 0xffff
	RouteShift = 20
)

// Sizes of payloads, and the limit of function numbers.
const (
	TrackBytes    = 32 // before the name
	OpenBytes     = 16 // of an open or inherited record
	FunctionBytes = 20 // before name and file

	RequestNameBytes = 8

	Functions = 1 << 20
)

// TimeLimit is the maximum of ticks since the trace's start; the sum of two does not overflow.
const TimeLimit = 1 << 60

// A Word is 8 bytes of a chunk.
type Word uint64

// WordAt returns the first word of data, which has at least 8 bytes.
func WordAt(data []byte) Word { return Word(binary.LittleEndian.Uint64(data)) }

// Kind returns Entry, Exit or Record; 0 for a word that is not written yet.
func (w Word) Kind() int { return int(w & 3) }

// Number returns the function's number in an entry or exit.
func (w Word) Number() int { return int(w >> 2 & (Functions - 1)) }

// Ticks returns the ticks since the base in an entry or exit.
func (w Word) Ticks() uint64 { return uint64(w >> 22) }

// Type returns a record's type.
func (w Word) Type() int { return int(w >> 2 & 0x3f) }

// Bytes returns the length of a record's payload.
func (w Word) Bytes() int { return int(w >> 8 & 0xffff) }

// Value returns a record's value.
func (w Word) Value() uint64 { return uint64(w >> 24) }

// Size returns a record's length in bytes, including its word and padding.
func (w Word) Size() int { return 8 + (w.Bytes()+7)&^7 }

// Since returns the ticks since the trace's start, limited to 0 … TimeLimit where they are damaged.
func Since(ticks, start uint64) int64 {
	if ticks < start {
		return 0
	}
	return int64(min(ticks-start, TimeLimit))
}

// A Head is the head of a chunk.
type Head struct {
	Kind, Size             int
	Sequence, Writer, Base uint64
}

// HeadAt returns the chunk head at the start of data; false where there is none.
func HeadAt(data []byte) (Head, bool) {
	if len(data) < HeadBytes || string(data[:4]) != chunkMagic {
		return Head{}, false
	}
	head := Head{
		Kind:     int(binary.LittleEndian.Uint32(data[4:])),
		Size:     int(binary.LittleEndian.Uint32(data[8:])),
		Sequence: binary.LittleEndian.Uint64(data[16:]),
		Writer:   binary.LittleEndian.Uint64(data[24:]),
		Base:     binary.LittleEndian.Uint64(data[32:]),
	}
	isValid := (head.Kind == Facts || head.Kind == Events) && head.Sequence > 0 &&
		head.Size >= ChunkStep && head.Size <= ChunkLimit && head.Size%ChunkStep == 0
	return head, isValid
}
