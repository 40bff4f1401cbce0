package follow

import (
	"encoding/binary"

	"functrace/otlp/internal/format"
)

// A Run is a sequence of words of one track in one chunk.
type Run struct {
	Track    uint64
	Number   uint32 // modulo 1<<format.RunBits
	Open     int    // calls that are open where it begins
	Starts   bool   // it begins the track
	Sequence uint64 // of its chunk

	// Set by the package calls, to order the track's runs: how often the track began before, and
	// the number.
	Life, Place int64
}

// A Piece is a part of a run.
type Piece struct {
	*Run
	Begins   bool   // it begins the run
	IsCut    bool   // the rest of the run may have been overwritten before it was read
	Record   *Track // the track record that precedes its words, if any
	Words    []byte // complete records only
	Base     uint64 // ticks that the first times are relative to
	HasList  bool   // it lists open calls
	Earliest int64  // time in it, in ticks since the trace's start, those of listed calls included
	First    int64  // the time of the first event; TimeLimit if there is none

	IsCutSurely bool // the rest of the run was overwritten
}

// A Track is the content of a track record.
type Track struct {
	Kind    uint64
	Parent  uint64
	Start   int64 // ticks since the trace's start
	Starter int   // the number of the function that started it
	Name    string
}

// The first read of a chunk is small, since most of a chunk that is being written is zero.
const (
	firstReadBytes = 4 << 10
	nextReadBytes  = 128 << 10
)

// next reads up to size of the chunk's unread bytes.
func (f *Follower) next(c *chunk, size int) ([]byte, error) {
	size = min(size, c.Size-c.read)
	if size > len(f.buffer) {
		f.buffer = make([]byte, size)
	}
	return read(f.file, f.buffer[:size], c.offset+int64(c.read))
}

// each visits the chunk's new words.
func (f *Follower) each(c *chunk, visit func(word format.Word, data []byte)) error {
	for size := firstReadBytes; !c.isFull(); size = nextReadBytes {
		data, err := f.next(c, size)
		if err != nil {
			return err
		}
		before := c.read
		isEnd := scan(c, data, visit)
		if isEnd || len(data) < min(size, c.Size-before) {
			return nil
		}
		if c.read == before {
			c.filled = true // a record exceeds its chunk
		}
	}
	return nil
}

func (c *chunk) isFull() bool { return c.filled || c.read+8 > c.Size }

// scan visits the complete words of data; it reports whether it reached one that is not written yet.
func scan(c *chunk, data []byte, visit func(word format.Word, data []byte)) bool {
	for len(data) >= 8 {
		word := format.WordAt(data)
		if word == 0 {
			return true
		}
		size := 8
		if word.Kind() == format.Record {
			size = word.Size()
		}
		if size > len(data) {
			return false
		}
		visit(word, data[:size])
		c.read += size
		data = data[size:]
	}
	return false
}

func (f *Follower) readFacts(c *chunk) error {
	return f.each(c, func(word format.Word, data []byte) {
		if word.Kind() == format.Record {
			f.Facts.add(word.Type(), data[8:8+word.Bytes()])
		}
	})
}

// readEvents splits the chunk's new words into pieces. It discards them if the chunk was overwritten
// while they were read.
func (f *Follower) readEvents(c *chunk, round *Read) error {
	before := c.read
	if f.isOverwritten(c) {
		unread := uint64(0)
		if !c.isRead { // a chunk that was read may have got more words, but rarely has
			unread = uint64(c.Size-before) / 8
		}
		f.lose(c, unread, round)
		return nil
	}
	s := splitter{f: f, chunk: c, run: c.run, base: c.base}
	s.begin(Piece{})
	if err := f.each(c, s.visit); err != nil {
		return err
	}
	s.end()
	if c.read > before && f.isOverwritten(c) {
		f.lose(c, uint64(c.read-before)/8, round)
		return nil
	}
	c.isRead = true
	c.age = f.finder.bytes - c.found
	c.isLeft = c.hasSuccessor && c.read == before
	c.run, c.base = s.run, s.base
	c.last = max(c.last, s.last)
	f.latest = max(f.latest, s.last)
	round.Pieces = append(round.Pieces, s.pieces...)
	return nil
}

func (f *Follower) isOverwritten(c *chunk) bool {
	return f.finder.overwrites && f.finder.sequence(c.offset) != c.Sequence
}

// lose counts words of the chunk that were overwritten before they were read. A writer leaves its
// chunk when an eighth of the file was allocated since the chunk began: nothing was lost if all of it
// was read after that.
func (f *Follower) lose(c *chunk, words uint64, round *Read) {
	f.lostWords += words
	c.isLeft = true
	if c.run != nil && (words > 0 || c.age*4 < f.size()) {
		round.Pieces = append(round.Pieces, Piece{Run: c.run, IsCut: true, IsCutSurely: words > 0})
	}
}

func (f *Follower) size() int64 {
	if info, err := f.file.Stat(); err == nil {
		return info.Size()
	}
	return 0
}

// A splitter splits a chunk's words into pieces of runs.
type splitter struct {
	f       *Follower
	chunk   *chunk
	run     *Run // of the next words; nil if they belong to no track
	base    uint64
	piece   Piece
	isTimed bool
	last    int64
	pieces  []Piece
}

// begin begins a piece of the current run.
func (s *splitter) begin(piece Piece) {
	s.piece, s.isTimed = piece, false
	s.piece.Run, s.piece.Base = s.run, s.base
	s.piece.Earliest, s.piece.First = s.since(s.base), format.TimeLimit
}

func (s *splitter) end() {
	p := &s.piece
	if p.Run != nil && (p.Begins || p.Record != nil || len(p.Words) > 0) {
		s.pieces = append(s.pieces, *p)
	}
}

func (s *splitter) since(ticks uint64) int64 { return format.Since(ticks, s.f.Header.Start) }

func (s *splitter) visit(word format.Word, data []byte) {
	switch word.Kind() {
	case format.Entry, format.Exit:
		s.note(s.since(s.base + word.Ticks()))
	case format.Record:
		switch kind := word.Type(); {
		case kind == format.Track:
			s.beginTrack(word, data[8:8+word.Bytes()])
			return
		case kind == format.Switch:
			s.switchTrack(word, data[8:8+word.Bytes()])
			return
		case kind == format.Base && word.Bytes() >= 8:
			s.base = binary.LittleEndian.Uint64(data[8:])
		case (kind == format.Open || kind == format.Inherited) && word.Bytes() >= format.OpenBytes:
			s.noteEarliest(s.since(binary.LittleEndian.Uint64(data[8:])))
			s.piece.HasList = s.piece.HasList || kind == format.Open
		case kind == format.Suspended || kind == format.Resumed:
			s.note(s.since(s.base + word.Value()))
		}
	}
	s.piece.Words = append(s.piece.Words, data...)
}

func (s *splitter) note(time int64) {
	s.noteEarliest(time)
	s.last = max(s.last, time)
	if s.piece.First == format.TimeLimit {
		s.piece.First = time
	}
}

func (s *splitter) noteEarliest(time int64) {
	if !s.isTimed || time < s.piece.Earliest {
		s.piece.Earliest = time
	}
	s.isTimed = true
}

// beginTrack begins a run, unless the record describes the current track again. The words after a
// damaged record belong to no track.
func (s *splitter) beginTrack(word format.Word, payload []byte) {
	s.end()
	var id uint64
	if len(payload) >= format.TrackBytes {
		id = binary.LittleEndian.Uint64(payload)
	}
	isAgain := word.Value()&format.TrackAgain != 0
	switch {
	case id == 0, isAgain && (s.run == nil || s.run.Track != id):
		s.run = nil
		s.begin(Piece{})
		return
	case !isAgain:
		s.run = &Run{Track: id, Starts: true, Sequence: s.chunk.Sequence}
	}
	s.begin(Piece{Begins: !isAgain, Record: &Track{
		Kind:    word.Value() & format.TrackKind,
		Parent:  binary.LittleEndian.Uint64(payload[8:]),
		Start:   s.since(binary.LittleEndian.Uint64(payload[16:])),
		Starter: int(binary.LittleEndian.Uint32(payload[24:])),
		Name:    format.Text(payload[format.TrackBytes:]),
	}})
}

func (s *splitter) switchTrack(word format.Word, payload []byte) {
	s.end()
	s.run = nil
	if len(payload) >= 8 && binary.LittleEndian.Uint64(payload) != 0 {
		s.run = &Run{
			Track:    binary.LittleEndian.Uint64(payload),
			Number:   uint32(word.Value() & format.MaxRun),
			Open:     int(word.Value() >> format.RunBits & format.MaxOpen),
			Sequence: s.chunk.Sequence,
		}
	}
	s.begin(Piece{Begins: true})
}
