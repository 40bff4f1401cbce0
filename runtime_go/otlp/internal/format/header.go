package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Flags of the header.
const (
	EndedCleanly = 1
	Overwrites   = 4
)

// A Header describes the trace: its process, whether it is complete, and its clock.
type Header struct {
	PID      int
	Language string // go, python or unknown
	Flags    uint64
	Start    uint64 // ticks
	Started  uint64 // the same instant, nanoseconds since 1970
	Clock    Clock

	LastOverwritten uint64 // the highest sequence number of overwritten chunks; only if it Overwrites
}

// Has reports whether the flag is set.
func (h *Header) Has(flag uint64) bool { return h.Flags&flag != 0 }

// ParseHeader parses the file's first bytes.
func ParseHeader(data []byte) (Header, error) {
	if len(data) < len(magic) || string(data[:len(magic)]) != magic {
		return Header{}, errors.New("not a functrace trace")
	}
	if len(data) < HeaderBytes {
		return Header{}, errors.New("truncated header")
	}
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	half := func(at int) uint32 { return binary.LittleEndian.Uint32(data[at:]) }
	if v := half(8); v > version {
		return Header{}, fmt.Errorf("format version %d is newer than the supported version %d", v, version)
	}
	if v := half(8); v == 1 {
		return Header{}, fmt.Errorf("cannot follow a trace of format version %d, only of version %d; "+
			"use a program and a sender of the same release", v, version)
	}
	if half(8) != version || half(12) != HeaderBytes {
		return Header{}, errors.New("corrupt header")
	}
	header := Header{
		PID:      int(half(16)),
		Language: "unknown",
		Flags:    word(48),
		Start:    word(32),
		Started:  word(40),

		LastOverwritten: word(144),
	}
	switch half(20) {
	case 1:
		header.Language = "go"
	case 2:
		header.Language = "python"
	}
	rate := calibrated(data, header.Start)
	if rate == 0 {
		rate = float64(word(24))
	}
	if rate == 0 {
		return Header{}, errors.New("corrupt header: no clock rate")
	}
	if rate < 1 {
		return Header{}, errors.New("corrupt header: clock rate below 1 Hz")
	}
	header.Clock = Clock{rate}
	return header, nil
}

// calibrated returns the ticks per second of the latest complete calibration, 0 if there is none that
// covers a long enough time.
func calibrated(data []byte, start uint64) float64 {
	const minNs = 10_000_000
	var sequence, ticks, ns uint64
	for _, at := range []int{64, 96} {
		first := binary.LittleEndian.Uint64(data[at:])
		if first == binary.LittleEndian.Uint64(data[at+24:]) && first > sequence {
			sequence = first
			ticks = binary.LittleEndian.Uint64(data[at+8:])
			ns = binary.LittleEndian.Uint64(data[at+16:])
		}
	}
	if sequence == 0 || ns < minNs || ticks <= start {
		return 0
	}
	// Rounded only once, so that all readers of the trace compute the same times.
	elapsed := new(big.Int).SetUint64(ticks - start)
	elapsed.Mul(elapsed, big.NewInt(1_000_000_000))
	rate, _ := new(big.Rat).SetFrac(elapsed, new(big.Int).SetUint64(ns)).Float64()
	return rate
}

// A Clock converts ticks to nanoseconds.
type Clock struct {
	rate float64 // ticks per second
}

// Nanoseconds converts a number of ticks.
func (c Clock) Nanoseconds(ticks int64) int64 {
	if c.rate == 1e9 {
		return ticks
	}
	const max = math.MaxInt64 - 1023 // the largest float below 2^63
	return int64(math.Min(math.RoundToEven(float64(ticks)*(1e9/c.rate)), max))
}
