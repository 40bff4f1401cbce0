package follow

import (
	"sort"

	"functrace/otlp/internal/format"
)

// A chunk, as far as it was read.
type chunk struct {
	format.Head
	offset int64
	read   int    // bytes, the head included
	track  uint64 // whose the words are that come next; 0 if nobody's
	base   uint64 // that their times count from
	begun  bool   // the head's track and open calls have been told
	filled bool   // nothing more comes
	last   int64  // no time that comes is before this
}

// A finder knows which chunks the file had.
type finder struct {
	window
	overwrites bool
	known      map[int64]uint64 // the sequence number of the chunk at a place
	front      int64            // where the newest chunk ends
	newest     uint64           // its sequence number
	rounds     int
}

// Where nothing says that chunks were missed, the whole file is looked through now and then only.
const roundsBetween = 10

// find returns the chunks that are new, in the order of their sequence numbers, and how many had
// come and been overwritten before they were seen.
func (f *finder) find(thoroughly bool) (found []*chunk, missed uint64) {
	f.forget()
	before := f.newest
	found = f.ahead()
	if thoroughly || f.rounds%roundsBetween == 0 || f.missing(before, found) > 0 {
		f.forget()
		found = append(found, f.everywhere()...)
	}
	f.rounds++
	sort.Slice(found, func(i, j int) bool { return found[i].Sequence < found[j].Sequence })
	if f.overwrites {
		missed = f.missing(before, found)
	}
	return found, missed
}

// missing returns how many sequence numbers since the one given belong to no chunk found.
func (f *finder) missing(before uint64, found []*chunk) uint64 {
	missing := f.newest - before
	for _, c := range found {
		if c.Sequence > before && missing > 0 {
			missing--
		}
	}
	return missing
}

// ahead returns chunks that follow on the newest one. Recorders fill one segment of the file
// after the other; what they overwrite are the oldest.
func (f *finder) ahead() (found []*chunk) {
	at, isWrapped := f.front, false
	for {
		head, isChunk, _ := f.head(at)
		switch {
		case isChunk && head.Sequence > f.newest:
			found = append(found, f.add(at, head))
		case isChunk && head.Kind == format.Facts: // it lies between two segments
		case isChunk || isWrapped || !f.overwrites:
			return found
		default:
			at, isWrapped = format.HeaderBytes, true
			continue
		}
		at += int64(head.Size)
	}
}

// everywhere returns all chunks that were not known. A chunk may have been reserved and never begun,
// so zeros end the contents only where no chunk comes within the longest chunk's length; where old
// chunks are overwritten they end nothing.
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
