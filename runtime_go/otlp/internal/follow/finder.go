package follow

import (
	"sort"

	"functrace/otlp/internal/format"
)

// A chunk and how far it was read.
type chunk struct {
	format.Head
	offset int64
	read   int    // bytes, including the head
	track  uint64 // of the next words; 0 if unknown
	base   uint64 // ticks that their times are relative to
	begun  bool   // its first piece was returned
	filled bool   // no more words come
	last   int64  // no later word has an earlier time
}

// A finder finds new chunks in the file.
type finder struct {
	window
	overwrites bool
	known      map[int64]uint64 // by offset, the sequence number of the chunk seen there
	front      int64            // the end of the newest chunk
	newest     uint64           // its sequence number
	rounds     int
}

// As long as no chunks seem to be missed, the whole file is searched only once in this many rounds.
const searchInterval = 10

// find returns the new chunks by sequence number, and how many came and were overwritten unseen.
func (f *finder) find(thoroughly bool) (found []*chunk, missed uint64) {
	f.invalidate()
	before := f.newest
	found = f.ahead()
	if thoroughly || f.rounds%searchInterval == 0 || f.missing(before, found) > 0 {
		f.invalidate()
		found = append(found, f.everywhere()...)
	}
	f.rounds++
	sort.Slice(found, func(i, j int) bool { return found[i].Sequence < found[j].Sequence })
	if f.overwrites {
		missed = f.missing(before, found)
	}
	return found, missed
}

// missing returns how many sequence numbers after the one given belong to no chunk found.
func (f *finder) missing(before uint64, found []*chunk) uint64 {
	missing := f.newest - before
	for _, c := range found {
		if c.Sequence > before && missing > 0 {
			missing--
		}
	}
	return missing
}

// ahead returns the chunks after the newest one. Recorders fill one segment of the file after the
// other, and overwrite the oldest.
func (f *finder) ahead() (found []*chunk) {
	at, isWrapped := f.front, false
	for {
		head, isChunk, _ := f.head(at)
		switch {
		case isChunk && head.Sequence > f.newest:
			found = append(found, f.add(at, head))
		case isChunk && head.Kind == format.Facts: // between two segments
		case isChunk || isWrapped || !f.overwrites:
			return found
		default:
			at, isWrapped = format.HeaderBytes, true
			continue
		}
		at += int64(head.Size)
	}
}

// everywhere returns all unknown chunks. A chunk may have been reserved and never begun, so zeros end
// the contents only if no chunk follows within the maximum chunk length, and never in a ring.
func (f *finder) everywhere() (found []*chunk) {
	at, end := int64(format.HeaderBytes), int64(format.HeaderBytes)
	for f.overwrites || at-end <= format.ChunkLimit {
		head, isChunk, isFile := f.head(at)
		if !isFile {
			break
		}
		if !isChunk {
			at += format.ChunkStep
			continue
		}
		if f.known[at] != head.Sequence {
			found = append(found, f.add(at, head))
		}
		at += int64(head.Size)
		end = at
	}
	return found
}

func (f *finder) add(at int64, head format.Head) *chunk {
	f.known[at] = head.Sequence
	if head.Sequence > f.newest {
		f.newest, f.front = head.Sequence, at+int64(head.Size)
	}
	return &chunk{Head: head, offset: at, read: format.HeadBytes, track: head.Track, base: head.Base}
}
