package main

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"sort"
)

// A generatedProgram is the trace of a program, as a recorder writes it into the chunks of several
// writers, which its tracks share.
type generatedProgram struct {
	random   *rand.Rand
	data     []byte
	now      uint64
	tracks   []*generatedTrack
	writers  []*generatedWriter
	stores   []store
	sequence uint64 // of the last chunk
	requests uint64 // begun so far
}

type generatedTrack struct {
	id     uint64
	open   []uint64 // functions
	writer *generatedWriter
	run    uint64
}

type generatedWriter struct {
	number  uint64
	current *generatedTrack // of the latest words
	at, end int             // the unused part of its chunk
}

// A store is what a recorder makes visible at once: a word, after its payload, or a chunk's head.
type store struct {
	at, size int
	head     int // offset of the head; 0 for a word
}

// Functions of the program; behind them, those that stand for inbound and outbound calls.
const (
	functions = 5
	inbound   = functions + 1
	outbound  = functions + 2
)

var little = binary.LittleEndian

// generateProgram returns a program that takes random steps.
func generateProgram(seed int64, steps int) *generatedProgram {
	p := newProgram(seed)
	p.beginTrack(nil)
	for i := 0; i < steps; i++ {
		p.step()
	}
	return p
}

func newProgram(seed int64) *generatedProgram {
	p := &generatedProgram{random: rand.New(rand.NewSource(seed)), data: make([]byte, 4096), now: 1000}
	copy(p.data, "FTRACE\r\n")
	for at, value := range map[int]uint32{8: 2, 12: 4096, 16: 1, 20: 1} {
		little.PutUint32(p.data[at:], value)
	}
	for at, value := range map[int]uint64{24: 1e9, 32: 1000, 40: 1_700_000_000_000_000_000, 48: 4} {
		little.PutUint64(p.data[at:], value)
	}
	for number := uint64(1); number <= 3; number++ {
		p.writers = append(p.writers, &generatedWriter{number: number})
	}
	p.writeFacts()
	return p
}

func (p *generatedProgram) writeFacts() {
	at := p.newChunk(1, 0)
	for number := uint32(1); number <= outbound; number++ {
		name := fmt.Sprintf("main.f%d", number)
		payload := little.AppendUint32(little.AppendUint32(nil, number), number)
		payload = little.AppendUint64(payload, 0)
		payload = little.AppendUint16(little.AppendUint16(payload, uint16(len(name))), 0)
		at += p.put(at, 16, 0, append(payload, name...))
		if number > functions {
			direction := byte(number - functions)
			at += p.put(at, 19, 0, append(little.AppendUint32(nil, number), direction, 1, 0, 0))
		}
	}
	p.stores = nil // facts are visible from the start
}

// newChunk returns the offset of the chunk's words.
func (p *generatedProgram) newChunk(kind uint32, writer uint64) int {
	at := len(p.data)
	p.data = append(p.data, make([]byte, 512)...)
	p.sequence++
	copy(p.data[at:], "CHNK")
	little.PutUint32(p.data[at+4:], kind)
	little.PutUint32(p.data[at+8:], 512)
	little.PutUint64(p.data[at+16:], p.sequence)
	little.PutUint64(p.data[at+24:], writer)
	little.PutUint64(p.data[at+32:], p.now)
	return at + 40
}

// put stores a record, and returns its size.
func (p *generatedProgram) put(at, kind int, value uint64, payload []byte) int {
	little.PutUint64(p.data[at:], value<<24|uint64(len(payload))<<8|uint64(kind)<<2|3)
	copy(p.data[at+8:], payload)
	size := 8 + (len(payload)+7)&^7
	p.stores = append(p.stores, store{at: at, size: size})
	return size
}

func (p *generatedProgram) step() {
	p.now += uint64(p.random.Intn(20))
	t := p.tracks[p.random.Intn(len(p.tracks))]
	switch chance := p.random.Float64(); {
	case chance < 0.05:
		p.beginTrack(t)
	case chance < 0.5 && len(t.open) < 12:
		p.enter(t, uint64(1+p.random.Intn(outbound)))
	case len(t.open) > 0:
		p.leave(t)
	}
}

// beginTrack begins a track, started by a random function, and calls main.f1.
func (p *generatedProgram) beginTrack(parent *generatedTrack) *generatedTrack {
	return p.beginTrackFrom(parent, uint32(p.random.Intn(functions+1)))
}

func (p *generatedProgram) beginTrackFrom(parent *generatedTrack, starter uint32) *generatedTrack {
	t := &generatedTrack{id: uint64(len(p.tracks) + 1)}
	payload := little.AppendUint64(nil, t.id)
	if parent == nil {
		payload = little.AppendUint64(payload, 0)
	} else {
		payload = little.AppendUint64(payload, parent.id)
	}
	payload = little.AppendUint64(payload, p.now)
	payload = little.AppendUint32(payload, starter)
	payload = little.AppendUint32(payload, 7)
	p.tracks = append(p.tracks, t)
	p.putRecord(t, 2, 1, payload)
	p.enter(t, 1)
	p.now++ // a call at this tick may or may not have begun before
	return t
}

// reserve returns the writer of the track's next words. They begin a run if the writer's last words
// are not the track's last ones.
func (p *generatedProgram) reserve(t *generatedTrack, size int) *generatedWriter {
	isNew := t.writer == nil
	w := t.writer
	if isNew || p.random.Intn(5) == 0 {
		w = p.writers[p.random.Intn(len(p.writers))]
	}
	if w == t.writer && w.current == t && w.at+size <= w.end {
		return w
	}
	if w.at+16+size > w.end {
		w.at = p.newChunk(2, w.number)
		w.end = w.at + 512 - 40
		little.PutUint64(p.data[w.at-8:], 1000) // a base that all times can be relative to
		p.stores = append(p.stores, store{head: w.at - 40})
	}
	t.writer, w.current = w, t
	if !isNew {
		t.run++
		value := t.run | uint64(len(t.open))<<24
		w.at += p.put(w.at, 10, value, little.AppendUint64(nil, t.id))
	}
	return w
}

func (p *generatedProgram) putRecord(t *generatedTrack, kind int, value uint64, payload []byte) {
	w := p.reserve(t, 8+(len(payload)+7)&^7)
	w.at += p.put(w.at, kind, value, payload)
}

func (p *generatedProgram) word(t *generatedTrack, kind, function uint64) {
	p.storeWord(p.reserve(t, 8), kind, function)
}

func (p *generatedProgram) storeWord(w *generatedWriter, kind, function uint64) {
	little.PutUint64(p.data[w.at:], (p.now-1000)<<22|function<<2|kind)
	p.stores = append(p.stores, store{at: w.at, size: 8})
	w.at += 8
}

func (p *generatedProgram) enter(t *generatedTrack, function uint64) {
	if function > functions {
		p.beginRequest(t, function)
	} else {
		p.word(t, 1, function)
	}
	t.open = append(t.open, function)
}

// beginRequest stores an entry and its request record in one run. An outbound call belongs to any request
// that began before. Requests begin and end at times of their own.
func (p *generatedProgram) beginRequest(t *generatedTrack, function uint64) {
	p.now++
	p.requests++
	value := function - functions | 1<<2
	payload := little.AppendUint64(nil, p.requests)
	if function == outbound {
		payload = little.AppendUint64(payload, uint64(p.random.Intn(int(p.requests))))
	}
	if p.random.Intn(2) == 0 {
		value |= 1 << 8
		payload = append(payload, make([]byte, 24)...)
		payload[len(payload)-24] = byte(1 + p.random.Intn(5))
		payload[len(payload)-1] = byte(p.requests)
	}
	w := p.reserve(t, 16+len(payload))
	p.storeWord(w, 1, function)
	w.at += p.put(w.at, 11, value, payload)
	p.now++
}

// leave ends a call, some with an error.
func (p *generatedProgram) leave(t *generatedTrack) {
	if p.random.Intn(5) == 0 {
		p.fail(t)
	} else {
		p.leaveSilently(t)
	}
}

func (p *generatedProgram) fail(t *generatedTrack) {
	p.putRecord(t, 3, 0, []byte("item 13 is locked"))
	p.leaveSilently(t)
}

func (p *generatedProgram) leaveSilently(t *generatedTrack) {
	function := t.open[len(t.open)-1]
	if function > functions {
		p.now++
		defer func() { p.now++ }()
	}
	p.word(t, 2, function)
	t.open = t.open[:len(t.open)-1]
}

// A growingFile contains the first stores of a program, in order except for one that is late.
type growingFile struct {
	*generatedProgram
	content []byte
	next    int
}

func (p *generatedProgram) growing() *growingFile {
	return &growingFile{generatedProgram: p, content: append([]byte(nil), p.data[:4096+512]...)}
}

// grow makes up to limit more stores visible, and reports whether any are left.
func (g *growingFile) grow(limit int) bool {
	until := min(g.next+1+g.random.Intn(limit), len(g.stores))
	for ; g.next < until; g.next++ {
		g.store(g.stores[g.next])
	}
	// A payload is stored before its word.
	if g.next < len(g.stores) && g.stores[g.next].at > 0 && g.stores[g.next].at < len(g.content) {
		s := g.stores[g.next]
		copy(g.content[s.at+8:s.at+s.size], g.data[s.at+8:])
	}
	return g.next < len(g.stores)
}

func (g *growingFile) store(s store) {
	if s.at == 0 {
		if need := s.head + 512; need > len(g.content) {
			g.content = append(g.content, make([]byte, need-len(g.content))...)
		}
		copy(g.content[s.head:s.head+40], g.data[s.head:])
		return
	}
	copy(g.content[s.at:s.at+s.size], g.data[s.at:])
}

func sorted(texts []string) []string {
	sort.Strings(texts)
	return texts
}
