package follow

import (
	"sort"

	"functrace/otlp/internal/format"
)

// A chunk and how far it was read.
type chunk struct {
	format.Head
	offset       int64
	read         int    // bytes, including the head
	run          *Run   // of the next words; nil if they belong to no track
	base         uint64 // ticks that their times are relative to
	isRead       bool   // all words stored so far were read at least once
	filled       bool   // no more words fit
	hasSuccessor bool   // its writer has begun another chunk
	isLeft       bool   // its writer has left it, or it was overwritten
	found        int64  // bytes of the chunks found before, and of this one
	age          int64  // bytes of the chunks found after it when it was last read
	last         int64  // no later word has an earlier time
}

// A finder finds new chunks in the file.
type finder struct {
	window
	overwrites bool
	known      map[int64]format.Head // by offset, the chunk seen there
	front      int64                 // the end of the newest chunk
	newest     uint64                // its sequence number
	seen       uint64                // chunks found
	recent     []uint64              // their sequence numbers, in order, without those that are counted in old
	old        uint64                // chunks found among those that may have been overwritten by now
	bytes      int64                 // in these
	rounds     int
}

// As long as no chunks seem to be missed, the whole file is searched only once in this many rounds.
const searchInterval = 10

// find returns the new chunks by sequence number.
func (f *finder) find(thoroughly bool) []*chunk {
	f.invalidate()
	found := f.ahead()
	if thoroughly || f.rounds%searchInterval == 0 || f.unseen() > 0 {
		f.invalidate()
		found = append(found, f.everywhere()...)
	}
	f.rounds++
	sort.Slice(found, func(i, j int) bool { return found[i].Sequence < found[j].Sequence })
	return found
}

// missing returns how many of the chunks up to the last one that was overwritten were not found. A chunk
// behind it may have been reserved and never begun.
func (f *finder) missing(lastOverwritten uint64) uint64 {
	sort.Slice(f.recent, func(i, j int) bool { return f.recent[i] < f.recent[j] })
	for len(f.recent) > 0 && f.recent[0] <= lastOverwritten {
		f.recent = f.recent[1:]
		f.old++
	}
	last := min(lastOverwritten, f.newest)
	return last - min(f.old, last)
}

// unseen returns how many chunks were overwritten before they were found, or begin later than chunks
// after them.
func (f *finder) unseen() uint64 { return f.newest - min(f.seen, f.newest) }

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
		if head, isKnown := f.known[at]; isKnown && (!f.overwrites || f.sequence(at) == head.Sequence) {
			at += int64(head.Size)
			end = at
			continue
		}
		head, isChunk, isFile := f.head(at)
		if !isFile {
			break
		}
		if !isChunk {
			at += format.ChunkStep
			continue
		}
		found = append(found, f.add(at, head))
		at += int64(head.Size)
		end = at
	}
	return found
}

func (f *finder) add(at int64, head format.Head) *chunk {
	f.known[at] = head
	f.seen++
	f.recent = append(f.recent, head.Sequence)
	f.bytes += int64(head.Size)
	if head.Sequence > f.newest {
		f.newest, f.front = head.Sequence, at+int64(head.Size)
	}
	return &chunk{Head: head, offset: at, read: format.HeadBytes, base: head.Base, found: f.bytes}
}
