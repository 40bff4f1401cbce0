package follow

import (
	"encoding/binary"

	"functrace/otlp/internal/format"
)

// A Piece is a sequence of words of one track.
type Piece struct {
	Track  uint64
	Record *Track // the track record that it begins with, if any
	Words  []byte // complete records only
	Base   uint64 // ticks that the first times are relative to
	Begins bool   // it begins a chunk
	Open   int    // open calls according to that chunk's head
	First  int64  // the earliest time in it, in ticks since the trace's start
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
	s := splitter{f: f, chunk: c, base: c.base, track: c.track}
	wasFilled, before := c.filled, c.read
	c.filled = false // read the rest once more
	s.begin()
	err := f.each(c, s.visit)
	c.filled = c.filled || wasFilled
	if err != nil || c.read == before {
		return err
	}
	s.end()
	if f.finder.overwrites && f.finder.sequence(c.offset) != c.Sequence {
		f.Lost.Events += uint64(c.Size-before) / 8
		c.filled = true
		return nil
	}
	if s.track != c.track {
		f.release(c)
		if s.track != 0 {
			f.current[s.track] = c
		}
	}
	c.begun, c.track, c.base = true, s.track, s.base
	c.last = max(c.last, s.last)
	f.latest = max(f.latest, s.last)
	round.Pieces = append(round.Pieces, s.pieces...)
	return nil
}

// A splitter splits a chunk's words into pieces.
type splitter struct {
	f       *Follower
	chunk   *chunk
	track   uint64
	base    uint64
	piece   Piece
	isTimed bool
	last    int64
	pieces  []Piece
}

func (s *splitter) begin() {
	s.piece = Piece{Track: s.track, Base: s.base, First: s.since(s.base)}
	if !s.chunk.begun {
		s.piece.Begins, s.piece.Open = true, s.chunk.Open
	}
}

func (s *splitter) end() {
	if s.piece.Track != 0 && (len(s.piece.Words) > 0 || s.piece.Record != nil) {
		s.pieces = append(s.pieces, s.piece)
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
			s.beginTrack(word, data)
			return
		case kind == format.Base && word.Bytes() >= 8:
			s.base = binary.LittleEndian.Uint64(data[8:])
		case (kind == format.Open || kind == format.Inherited) && word.Bytes() >= format.OpenBytes:
			s.noteFirst(s.since(binary.LittleEndian.Uint64(data[8:])))
		case kind == format.Suspended || kind == format.Resumed:
			s.note(s.since(s.base + word.Value()))
		}
	}
	s.piece.Words = append(s.piece.Words, data...)
}

func (s *splitter) note(time int64) {
	s.noteFirst(time)
	s.last = max(s.last, time)
}

func (s *splitter) noteFirst(time int64) {
	if !s.isTimed || time < s.piece.First {
		s.piece.First = time
	}
	s.isTimed = true
}

// beginTrack begins a new piece. The words after a damaged record belong to no track.
func (s *splitter) beginTrack(word format.Word, data []byte) {
	s.end()
	payload := data[8 : 8+word.Bytes()]
	s.track, s.isTimed = 0, false
	var record *Track
	if len(payload) >= format.TrackBytes {
		s.track = binary.LittleEndian.Uint64(payload)
		record = &Track{
			Kind:    word.Value(),
			Parent:  binary.LittleEndian.Uint64(payload[8:]),
			Start:   s.since(binary.LittleEndian.Uint64(payload[16:])),
			Starter: int(binary.LittleEndian.Uint32(payload[24:])),
			Name:    format.Text(payload[format.TrackBytes:]),
		}
	}
	s.piece = Piece{Track: s.track, Base: s.base, First: s.since(s.base), Record: record}
}
