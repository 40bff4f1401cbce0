package main

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"sort"
)

// A program at random, as a recorder writes it: chunks of several tracks, in which words come to be.
type program struct {
	random *rand.Rand
	data   []byte
	now    uint64
	tracks []*written
	events []event
	size   uint64 // of the next chunk
}

// A written track.
type written struct {
	id      uint64
	open    []uint64 // functions
	at, end int      // of the words of its chunk that are left
}

// An event is what is stored at one time: a word at a place, behind its payload.
type event struct {
	at, size int
	head     int // of the chunk that it begins, if it does
}

const functions = 5

var little = binary.LittleEndian

func writeProgram(seed int64, steps int) *program {
	p := &program{random: rand.New(rand.NewSource(seed)), data: make([]byte, 4096), now: 1000}
	copy(p.data, "FTRACE\r\n")
	for at, value := range map[int]uint32{8: 1, 12: 4096, 16: 1, 20: 1} {
		little.PutUint32(p.data[at:], value)
	}
	for at, value := range map[int]uint64{24: 1e9, 32: 1000, 40: 1_700_000_000_000_000_000, 48: 4} {
		little.PutUint64(p.data[at:], value)
	}
	p.writeFacts()
	p.beginTrack(nil)
	for i := 0; i < steps; i++ {
		p.step()
	}
	return p
}

func (p *program) writeFacts() {
	at := p.newChunk(1, 0, 0)
	for number := uint32(1); number <= functions; number++ {
		name := fmt.Sprintf("main.f%d", number)
		payload := little.AppendUint32(little.AppendUint32(nil, number), number)
		payload = little.AppendUint64(payload, 0)
		payload = little.AppendUint16(little.AppendUint16(payload, uint16(len(name))), 0)
		at += p.put(at, 16, 0, append(payload, name...))
	}
	p.events = nil // they are there from the start
}

// newChunk returns where its words begin.
func (p *program) newChunk(kind uint32, track uint64, open int) int {
	at := len(p.data)
	p.data = append(p.data, make([]byte, 512)...)
	p.size++
	copy(p.data[at:], "CHNK")
	little.PutUint32(p.data[at+4:], kind)
	little.PutUint32(p.data[at+8:], 512)
	little.PutUint32(p.data[at+12:], uint32(open))
	little.PutUint64(p.data[at+16:], p.size)
	little.PutUint64(p.data[at+24:], track)
	little.PutUint64(p.data[at+32:], p.now)
	return at + 40
}

// put stores a record, and returns its size.
func (p *program) put(at, kind int, value uint64, payload []byte) int {
	little.PutUint64(p.data[at:], value<<24|uint64(len(payload))<<8|uint64(kind)<<2|3)
	copy(p.data[at+8:], payload)
	size := 8 + (len(payload)+7)&^7
	p.events = append(p.events, event{at: at, size: size})
	return size
}

func (p *program) step() {
	p.now += uint64(p.random.Intn(20))
	t := p.tracks[p.random.Intn(len(p.tracks))]
	switch chance := p.random.Float64(); {
	case chance < 0.05:
		p.beginTrack(t)
	case chance < 0.5 && len(t.open) < 12:
		p.enter(t, uint64(1+p.random.Intn(functions)))
	case len(t.open) > 0:
		p.leave(t)
	}
}

func (p *program) beginTrack(parent *written) {
	t := &written{id: uint64(len(p.tracks) + 1)}
	payload := little.AppendUint64(nil, t.id)
	if parent == nil {
		payload = little.AppendUint64(payload, 0)
	} else {
		payload = little.AppendUint64(payload, parent.id)
	}
	payload = little.AppendUint64(payload, p.now)
	payload = little.AppendUint32(payload, uint32(p.random.Intn(functions+1)))
	payload = little.AppendUint32(payload, 7)
	p.tracks = append(p.tracks, t)
	p.room(t, 8*5)
	t.at += p.put(t.at, 2, 1, payload)
	p.enter(t, 1)
}

// room gives the track another chunk where it has too little left, with its open calls.
func (p *program) room(t *written, size int) {
	if t.at+size+8 <= t.end {
		return
	}
	track := t.id
	if t.end == 0 {
		track = 0
	}
	t.at = p.newChunk(2, track, len(t.open))
	t.end = t.at + 512 - 40
	little.PutUint64(p.data[t.at-8:], 1000) // so that every time fits
	p.events = append(p.events, event{head: t.at - 40})
}

func (p *program) word(t *written, kind, function uint64) {
	p.room(t, 8)
	little.PutUint64(p.data[t.at:], (p.now-1000)<<22|function<<2|kind)
	p.events = append(p.events, event{at: t.at, size: 8})
	t.at += 8
}

func (p *program) enter(t *written, function uint64) {
	p.word(t, 1, function)
	t.open = append(t.open, function)
}

func (p *program) leave(t *written) {
	function := t.open[len(t.open)-1]
	if p.random.Intn(5) == 0 {
		p.room(t, 40)
		t.at += p.put(t.at, 3, 0, []byte("item 13 is locked"))
	}
	p.word(t, 2, function)
	t.open = t.open[:len(t.open)-1]
}

// A growing file has some of the events, in the order in which they were stored but for one
// that is late.
type growing struct {
	*program
	content []byte
	next    int
}

func (p *program) growing() *growing {
	g := &growing{program: p, content: append([]byte(nil), p.data[:4096+512]...)}
	return g
}

// grow stores up to so many more, and returns whether there are any left.
func (g *growing) grow(most int) bool {
	until := min(g.next+1+g.random.Intn(most), len(g.events))
	for ; g.next < until; g.next++ {
		g.store(g.events[g.next])
	}
	// Payloads come before their words.
	if g.next < len(g.events) && g.events[g.next].at > 0 && g.events[g.next].at < len(g.content) {
		e := g.events[g.next]
		copy(g.content[e.at+8:e.at+e.size], g.data[e.at+8:])
	}
	return g.next < len(g.events)
}

func (g *growing) store(e event) {
	if e.at == 0 {
		if need := e.head + 512; need > len(g.content) {
			g.content = append(g.content, make([]byte, need-len(g.content))...)
		}
		copy(g.content[e.head:e.head+40], g.data[e.head:])
		return
	}
	copy(g.content[e.at:e.at+e.size], g.data[e.at:])
}

func sorted(texts []string) []string {
	sort.Strings(texts)
	return texts
}
