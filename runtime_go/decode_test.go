//go:build trace

package functrace_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// A decoded trace, as docs/trace-format.md has it.
type decoded struct {
	pid         uint32
	flags, lost uint64
	functions   map[uint64]string
	requests    map[uint64]string // direction and protocol of request functions
	process     string
	demotions   []string // name, value of the record, calls a second
	tracks      map[uint64]*decodedTrack
	order       []uint64 // of the tracks, as they began
}

type decodedTrack struct {
	id, parent uint64
	start      uint64
	starter    string
	line       uint64
	events     []event
	open       []uint64
	hidden     int // open calls inside the first list that it left out
}

type event struct {
	kind  string // "->", "<-", "error", "panic", "goexit", "open"
	name  string
	ticks uint64
}

func (d *decoded) main() *decodedTrack { return d.tracks[1] }

// String is the track's calls as the printer would have them, without its id.
func (t *decodedTrack) String() string {
	var b strings.Builder
	level := 0
	for _, e := range t.events {
		switch e.kind {
		case "->":
			level++
			fmt.Fprintf(&b, "%s->%s\n", strings.Repeat("\t", level), e.name)
		case "<-":
			fmt.Fprintf(&b, "%s<-%s\n", strings.Repeat("\t", level), e.name)
			level--
		default:
			fmt.Fprintf(&b, "%s%s %s\n", strings.Repeat("\t", level), e.kind, e.name)
		}
	}
	return b.String()
}

type chunk struct {
	kind     uint32
	sequence uint64
	base     uint64
	words    []byte
}

// decode reads a trace and fails if anything in it makes no sense.
func decode(t *testing.T, path string) *decoded {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	if string(data[:8]) != "FTRACE\r\n" || u64(8) != 2|4096<<32 {
		t.Fatalf("no trace: %q", data[:16])
	}
	d := &decoded{flags: u64(48), lost: u64(56), functions: map[uint64]string{}, requests: map[uint64]string{}, tracks: map[uint64]*decodedTrack{}}
	d.pid = uint32(u64(16))
	for _, c := range chunks(data) {
		if c.kind == 1 {
			d.facts(c)
		}
	}
	runs := map[uint64][]*decodedRun{}
	for _, c := range chunks(data) {
		if c.kind == 2 {
			for _, r := range c.runs() {
				d.track(r.track)
				runs[r.track] = append(runs[r.track], r)
			}
		}
	}
	for _, id := range d.order {
		d.runs(t, runs[id])
	}
	return d
}

func chunks(data []byte) []chunk {
	var found []chunk
	for at := 4096; at+40 <= len(data); {
		head := data[at:]
		size := int(binary.LittleEndian.Uint32(head[8:]))
		if string(head[:4]) != "CHNK" || size < 512 || at+size > len(data) {
			at += 512
			continue
		}
		found = append(found, chunk{
			kind:     binary.LittleEndian.Uint32(head[4:]),
			sequence: binary.LittleEndian.Uint64(head[16:]),
			base:     binary.LittleEndian.Uint64(head[32:]),
			words:    data[at+40 : at+size],
		})
		at += size
	}
	sort.Slice(found, func(i, j int) bool { return found[i].sequence < found[j].sequence })
	return found
}

// each calls f with every word of a chunk and the payload of records.
func (c chunk) each(f func(word uint64, payload []byte)) {
	for at := 0; at+8 <= len(c.words); {
		word := binary.LittleEndian.Uint64(c.words[at:])
		at += 8
		switch word & 3 {
		case 0:
			return
		case 3:
			size := int(word >> 8 & 0xffff)
			f(word, c.words[at:at+size])
			at += (size + 7) &^ 7
		default:
			f(word, nil)
		}
	}
}

func (d *decoded) facts(c chunk) {
	c.each(func(word uint64, payload []byte) {
		switch word >> 2 & 63 {
		case 16:
			size := binary.LittleEndian.Uint16(payload[16:])
			name := string(payload[20 : 20+size])
			d.functions[uint64(binary.LittleEndian.Uint32(payload))] = strings.TrimPrefix(name, "functrace_test.")
		case 17:
			d.process = string(payload)
		case 19:
			function := uint64(binary.LittleEndian.Uint32(payload))
			d.requests[function] = fmt.Sprint(payload[4], " ", payload[5])
		case 18:
			function := uint64(binary.LittleEndian.Uint32(payload[8:]))
			rate := binary.LittleEndian.Uint32(payload[12:])
			d.demotions = append(d.demotions, fmt.Sprint(d.functions[function], " ", word>>24, " ", rate))
		}
	})
}

func (d *decoded) track(id uint64) *decodedTrack {
	track := d.tracks[id]
	if track == nil {
		track = &decodedTrack{id: id}
		d.tracks[id] = track
		d.order = append(d.order, id)
	}
	return track
}

// A decodedRun is what is between two records that begin a run.
type decodedRun struct {
	track, number uint64
	open          int // calls that are open where it begins; -1 in one that begins with a track record
	life          int // how often the track had begun by then
	words         []runWord
}

type runWord struct {
	word, base uint64
	payload    []byte
}

func (c chunk) runs() (runs []*decodedRun) {
	base := c.base
	var r *decodedRun
	c.each(func(word uint64, payload []byte) {
		u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(payload[at:]) }
		value := word >> 24
		if word&3 == 3 {
			switch kind := word >> 2 & 63; {
			case kind == 1:
				base = u64(0)
			case kind == 2 && value>>8 == 0:
				r = &decodedRun{track: u64(0), open: -1}
				runs = append(runs, r)
			case kind == 10:
				r = &decodedRun{track: u64(0), number: value & 0xffffff, open: int(value >> 24)}
				runs = append(runs, r)
			}
		}
		r.words = append(r.words, runWord{word, base, payload})
	})
	return runs
}

// runs decodes the runs of a track. A goroutine that is followed by its id may begin its track again.
func (d *decoded) runs(t *testing.T, runs []*decodedRun) {
	starts := 0
	for _, r := range runs {
		if r.open < 0 {
			starts++
		}
		r.life = starts
	}
	sort.SliceStable(runs, func(i, j int) bool {
		a, b := runs[i], runs[j]
		if starts > 1 && a.life != b.life {
			return a.life < b.life
		}
		return a.number < b.number
	})
	next, isWhole := uint64(0), false
	for _, r := range runs {
		if d.flags&4 == 0 && r.open >= 0 && r.number != next {
			t.Errorf("goroutine %d has run %d in the place of run %d", r.track, r.number, next)
		}
		// The calls of a track whose older runs were overwritten are known from its first list on.
		isWhole = r.open <= 0 || r.lists() || isWhole && r.number == next
		if isWhole {
			d.events(t, r)
		}
		next = r.number + 1
	}
}

func (r *decodedRun) lists() bool { return r.listed() > 0 }

// listed returns how many open calls the run lists.
func (r *decodedRun) listed() (n int) {
	for _, w := range r.words {
		if w.word&3 == 3 && w.word>>2&63 == 5 {
			n++
		}
	}
	return n
}

func (d *decoded) events(t *testing.T, r *decodedRun) {
	track := d.track(r.track)
	if d.flags&4 == 0 && r.open >= 0 && len(track.open) != r.open {
		t.Errorf("goroutine %d has %d open calls where run %d says %d", r.track, len(track.open), r.number, r.open)
	}
	if listed := r.listed(); listed > 0 {
		track.hidden = max(r.open-listed, 0)
	}
	reopened := 0
	for _, w := range r.words {
		word, base := w.word, w.base
		switch function := word >> 2 & 0xfffff; word & 3 {
		case 1:
			track.events = append(track.events, event{"->", d.functions[function], base + word>>22})
			track.open = append(track.open, function)
		case 2:
			n := len(track.open)
			if isKnown := n > 0 && track.open[n-1] == function; !isKnown && track.hidden > 0 {
				track.hidden--
			} else if !isKnown {
				t.Errorf("goroutine %d leaves %s, open are %v", track.id, d.functions[function], track.open)
			} else {
				track.open = track.open[:n-1]
			}
			track.events = append(track.events, event{"<-", d.functions[function], base + word>>22})
		case 3:
			d.record(track, word, w.payload, &reopened)
		}
	}
}

func (d *decoded) record(track *decodedTrack, word uint64, payload []byte, reopened *int) {
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(payload[at:]) }
	switch value := word >> 24; word >> 2 & 63 {
	case 2:
		track.parent, track.start = u64(8), u64(16)
		track.starter, track.line = d.functions[u64(24)&0xffffffff], u64(24)>>32
	case 3:
		track.events = append(track.events, event{kind: "error", name: string(payload)})
	case 4:
		kind := "panic"
		if value == 2 {
			kind = "goexit"
		}
		track.events = append(track.events, event{kind: kind, name: string(payload)})
	case 11:
		track.events = append(track.events, event{kind: "request", name: requestText(value, payload)})
	case 12:
		text := fmt.Sprint(value & 0xffff)
		if value>>16&1 != 0 {
			text = "grpc " + text
		}
		if route := value >> 20; route != 0 {
			text += " " + d.functions[route]
		}
		track.events = append(track.events, event{kind: "status", name: text})
	case 5:
		if at := *reopened; at >= len(track.open) || track.open[at] != u64(8) {
			track.open = append(track.open[:at], u64(8))
		}
		*reopened++
	}
}

// requestText is a request record: direction, protocol, number, inbound call, ids, flags, request of the caller.
func requestText(value uint64, payload []byte) string {
	u64 := func() (n uint64) {
		n, payload = binary.LittleEndian.Uint64(payload), payload[8:]
		return n
	}
	text := fmt.Sprint([]string{"", "in", "out"}[value&3], " ", []string{"", "http", "grpc"}[value>>2&15], " ", u64())
	if value&3 == 2 {
		text += fmt.Sprint(" of ", u64())
	}
	if value>>8&1 != 0 {
		text += fmt.Sprintf(" %x-%x", payload[:16], payload[16:24])
		payload = payload[24:]
	}
	if value>>9&1 != 0 {
		text += " sampled"
	}
	if value>>11&1 != 0 {
		text += " minted"
	}
	if value>>10&1 != 0 {
		text += fmt.Sprintf(" ft=%016x:%x", u64(), u64())
	}
	if len(payload) != 0 {
		text += fmt.Sprintf(" and %x", payload)
	}
	return text
}

// record runs a program of this binary and decodes its trace.
func record(t *testing.T, program string, env ...string) (d *decoded, stdout, stderr string) {
	t.Helper()
	folder := t.TempDir()
	env = append([]string{"FUNCTRACE=record", "FUNCTRACE_OUT=" + folder + "/x.ftrace"}, env...)
	stdout, stderr = start(t, program, env...)
	return decode(t, filepath.Join(folder, "x.ftrace")), stdout, stderr
}
