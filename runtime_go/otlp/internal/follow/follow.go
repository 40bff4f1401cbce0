package follow

import (
	"os"

	"functrace/otlp/internal/format"
)

// A round reads at most so many bytes of words before what they tell is made use of: a program may
// have written much more before anybody looked.
const roundBytes = 4 << 20

// A Follower of a trace file.
type Follower struct {
	Header format.Header
	Facts  Facts
	Lost   Lost

	file    *os.File
	finder  finder
	chunks  []*chunk          // from which words may come, in the order of their sequence numbers
	holding map[uint64]*chunk // by track the chunk to which its words go
	buffer  []byte
	seen    int64  // the latest time that was read
	largest uint64 // words in the largest chunk seen
}

// Lost events were overwritten before they were read.
type Lost struct {
	Events uint64 // at most: chunks that were never seen count as full, and as the largest seen
}

// Read is what one round has read.
type Read struct {
	Pieces []Piece
	// Until so many ticks after the trace's start, nothing more will come.
	Until int64
	// There is more to be read at once.
	More bool
}

// Open begins to follow a file.
func Open(path string) (*Follower, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &Follower{
		file:    file,
		holding: map[uint64]*chunk{},
		buffer:  make([]byte, format.HeaderBytes),
		Facts:   Facts{byPlace: map[Function]int32{}},
		seen:    -1,
	}
	if err := f.readHeader(); err != nil {
		file.Close()
		return nil, err
	}
	f.finder = finder{
		window:     window{file: file},
		overwrites: f.Header.Has(format.Overwrites),
		known:      map[int64]uint64{},
		front:      format.HeaderBytes,
	}
	return f, nil
}

// Last returns the time of the last event that was read, in ticks after the trace's start.
func (f *Follower) Last() int64 { return max(f.seen, 0) }

// Close gives the file up.
func (f *Follower) Close() { f.file.Close() }

func (f *Follower) readHeader() error {
	data, err := read(f.file, f.buffer[:format.HeaderBytes], 0)
	if err != nil {
		return err
	}
	header, err := format.ParseHeader(data)
	if err == nil {
		f.Header = header
	}
	return err
}

// Round reads what is new. What was written when a round before this one read has been stored by
// now, whoever wrote it, so nothing comes any more before the latest time read then; at the
// end, when the program has ended, nothing comes at all.
func (f *Follower) Round(atEnd bool) (Read, error) {
	if err := f.readHeader(); err != nil {
		return Read{}, err
	}
	found, missed := f.finder.find(atEnd)
	for _, c := range found {
		f.takeOver(c)
	}
	f.Lost.Events += missed * f.largest
	f.chunks = merged(f.chunks, found)
	round := Read{Until: f.seen}
	if atEnd {
		round.Until = format.TimeLimit
	}
	err := f.readChunks(&round)
	return round, err
}

// takeOver notes that a track goes on in a new chunk: the one that it had is complete.
func (f *Follower) takeOver(c *chunk) {
	c.last = format.Since(c.Base, f.Header.Start)
	if c.Kind != format.Events {
		return
	}
	f.largest = max(f.largest, uint64(c.Size-format.HeadBytes)/8)
	if c.Track != 0 {
		if old := f.holding[c.Track]; old != nil && old.Sequence < c.Sequence {
			old.filled = true
		}
		f.holding[c.Track] = c
	}
}

// readChunks reads facts first: what is called comes after what says its name.
func (f *Follower) readChunks(round *Read) error {
	budget := roundBytes
	for _, c := range f.chunks {
		if c.Kind == format.Facts {
			if err := f.readFacts(c); err != nil {
				return err
			}
		}
	}
	kept := f.chunks[:0]
	for _, c := range f.chunks {
		if c.Kind == format.Events {
			if budget <= 0 {
				round.More = true
				round.Until = min(round.Until, c.last-1)
				kept = append(kept, c)
				continue
			}
			before := c.read
			if err := f.readEvents(c, round); err != nil {
				return err
			}
			budget -= c.read - before
		}
		if c.isFull() {
			f.release(c)
		} else {
			kept = append(kept, c)
		}
	}
	f.chunks = kept
	return nil
}

func (f *Follower) release(c *chunk) {
	if f.holding[c.track] == c {
		delete(f.holding, c.track)
	}
}

func merged(chunks, found []*chunk) []*chunk {
	all := append(chunks, found...)
	// Few are out of order: most are newer than all before.
	for i := len(chunks); i < len(all); i++ {
		for j := i; j > 0 && all[j-1].Sequence > all[j].Sequence; j-- {
			all[j-1], all[j] = all[j], all[j-1]
		}
	}
	return all
}
