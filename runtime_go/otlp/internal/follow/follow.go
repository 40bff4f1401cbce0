package follow

import (
	"os"

	"functrace/otlp/internal/format"
)

// A round reads about this many bytes of words before they are processed: a program may have
// written much more before the sender started.
const roundBytes = 4 << 20

// A Follower reads a trace file that grows.
type Follower struct {
	Header format.Header
	Facts  Facts
	Lost   Lost

	file      *os.File
	finder    finder
	chunks    []*chunk          // chunks that may get more words, by sequence number
	current   map[uint64]*chunk // by writer, its newest chunk if that may get more words
	buffer    []byte
	latest    int64  // time of the latest event read
	largest   uint64 // words in the largest chunk seen
	lostWords uint64 // overwritten in chunks that were seen
}

// Lost counts what was overwritten before it was read.
type Lost struct {
	Events uint64 // an upper bound: a chunk that was never seen counts as full and as the largest seen
}

// A Read is the result of one round.
type Read struct {
	Pieces []Piece
	Until  int64 // no more events come up to this time, in ticks since the trace's start
	More   bool  // more can be read at once
}

// Open begins to follow a file.
func Open(path string) (*Follower, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &Follower{
		file:    file,
		current: map[uint64]*chunk{},
		buffer:  make([]byte, format.HeaderBytes),
		Facts:   Facts{byDefinition: map[definition]int32{}},
		latest:  -1,
	}
	if err := f.readHeader(); err != nil {
		file.Close()
		return nil, err
	}
	f.finder = finder{
		window:     window{file: file},
		overwrites: f.Header.Has(format.Overwrites),
		known:      map[int64]format.Head{},
		front:      format.HeaderBytes,
	}
	return f, nil
}

// Last returns the time of the latest event read, in ticks since the trace's start.
func (f *Follower) Last() int64 { return max(f.latest, 0) }

// Close closes the file.
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

// Round reads what is new. All events up to the latest time that the round before read have been
// stored by now, by all threads, so no more come up to that time. At the end, when the program has
// ended, no more come at all.
func (f *Follower) Round(atEnd bool) (Read, error) {
	if err := f.readHeader(); err != nil {
		return Read{}, err
	}
	found := f.finder.find(atEnd)
	for _, c := range found {
		f.register(c)
	}
	f.chunks = merged(f.chunks, found)
	round := Read{Until: f.latest}
	if atEnd {
		round.Until = format.TimeLimit
	}
	err := f.readChunks(&round)
	f.Lost.Events = f.lostWords
	if f.finder.overwrites {
		f.Lost.Events += f.finder.missing(f.Header.LastOverwritten) * f.largest
	}
	return round, err
}

// register makes a new chunk the current one of its writer: the chunk before is complete.
func (f *Follower) register(c *chunk) {
	c.last = format.Since(c.Base, f.Header.Start)
	if c.Kind != format.Events {
		return
	}
	f.largest = max(f.largest, uint64(c.Size-format.HeadBytes)/8)
	if old := f.current[c.Writer]; old != nil {
		old.hasSuccessor = true
	}
	f.current[c.Writer] = c
}

// readChunks reads facts first: a function's definition must be known before its calls.
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
		if c.isFull() || c.isLeft {
			f.release(c)
		} else {
			kept = append(kept, c)
		}
	}
	f.chunks = kept
	return nil
}

func (f *Follower) release(c *chunk) {
	if f.current[c.Writer] == c {
		delete(f.current, c.Writer)
	}
}

// merged inserts new chunks by sequence number. Few are out of order.
func merged(chunks, found []*chunk) []*chunk {
	all := append(chunks, found...)
	for i := len(chunks); i < len(all); i++ {
		for j := i; j > 0 && all[j-1].Sequence > all[j].Sequence; j-- {
			all[j-1], all[j] = all[j], all[j-1]
		}
	}
	return all
}
