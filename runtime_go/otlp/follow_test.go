package main

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/spans"
)

// A followed file and the encoded spans of its calls.
type followed struct {
	t     testing.TB
	pipe  *pipeline
	spans []string
}

func followFile(t testing.TB, path string, options spans.Options) *followed {
	file, err := follow.Open(path)
	if err != nil {
		t.Skip(err)
	}
	f := &followed{t: t}
	f.pipe = newPipeline(file, options, f.add)
	return f
}

func (f *followed) add(batch spans.Batch) {
	data := batch.Bytes
	for i := 0; i < batch.Spans; i++ {
		_, _, tag := protowire.ConsumeTag(data)
		span, size := protowire.ConsumeBytes(data[max(tag, 0):])
		if tag < 0 || size < 0 {
			f.t.Fatal("truncated batch")
		}
		f.spans = append(f.spans, string(span))
		data = data[tag+size:]
	}
	if len(data) > 0 {
		f.t.Fatal("a batch has more than its spans")
	}
}

func (f *followed) round() {
	if _, err := f.pipe.round(false); err != nil {
		f.t.Fatal(err)
	}
}

func (f *followed) end() []string {
	if err := f.pipe.end(); err != nil {
		f.t.Fatal(err)
	}
	f.pipe.file.Close()
	return sorted(f.spans)
}

var choices = []spans.Options{
	{Share: 1, MinDurationNs: -1},
	{Share: 1, MinDurationNs: -1, Errors: true},
	{Share: 0.5, MinDurationNs: 400, Roots: []string{"f2", "main.f4"}},
}

func TestSpansDoNotDependOnFileGrowth(t *testing.T) {
	path, total := filepath.Join(t.TempDir(), "x.ftrace"), 0
	for seed := int64(0); seed < 60; seed++ {
		program := generateProgram(seed, 400)
		options := choices[seed%int64(len(choices))]
		write(t, path, program.data)
		whole := followFile(t, path, options).end()
		total += len(whole)

		growing := program.growing()
		write(t, path, growing.content)
		f := followFile(t, path, options)
		for growing.grow([]int{1, 7, 100}[seed/3%3]) {
			write(t, path, growing.content)
			f.round()
		}
		write(t, path, program.data)
		if got := f.end(); !reflect.DeepEqual(got, whole) {
			t.Errorf("seed %d: %d spans differ from the %d of the whole file", seed, len(got), len(whole))
		}
		if lost := f.pipe.file.Lost.Events; lost > 0 {
			t.Errorf("seed %d: %d events counted as lost", seed, lost)
		}
	}
	if total < 3000 {
		t.Errorf("only %d spans in total", total)
	}
}

// write replaces the file's content in place, so that no reader sees an empty file.
func write(t testing.TB, path string, content []byte) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		_, err = file.WriteAt(content, 0)
		file.Truncate(int64(len(content)))
		file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOverwrittenChunksAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	program := generateProgram(1, 400)
	write(t, path, program.data)
	f := followFile(t, path, choices[0])
	f.round()
	f.round()
	before := len(program.data) - 4096 - 512
	newer := append([]byte(nil), program.data...)
	for at := 4096 + 512; at < len(newer); at += 512 {
		sequence := little.Uint64(newer[at+16:])
		little.PutUint64(newer[at+16:], sequence+2*uint64(before/512))
		clear(newer[at+40 : at+512])
	}
	little.PutUint64(newer[144:], little.Uint64(newer[4096+512+16:])-1)
	write(t, path, newer)
	f.round()
	// As many chunks came and were overwritten in between.
	if lost := f.pipe.file.Lost.Events; lost != uint64(before/512*59) {
		t.Errorf("%d events counted as lost in %d chunks", lost, before/512)
	}
	if spans := f.end(); len(spans) < 50 {
		t.Errorf("only %d spans", len(spans))
	}
}

// lateChain returns the chain above a track that was started in a call of main.f2, but whose record
// comes only after count other calls.
func lateChain(t *testing.T, count int) []string {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	p := newProgram(1)
	parent := p.beginTrack(nil)
	p.enter(parent, 2)
	start := p.now
	p.now += 10
	p.leaveSilently(parent)
	for i := 0; i < count; i++ {
		p.now++
		p.enter(parent, 2)
		p.leaveSilently(parent)
	}
	write(t, path, p.data)
	f := followFile(t, path, choices[0])
	for { // the second round without news processes all words
		read, err := f.pipe.round(false)
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Pieces) == 0 && !read.More {
			break
		}
	}
	now := p.now
	p.now = start
	child := p.beginTrackFrom(parent, 2)
	p.now = now + 10
	p.leaveSilently(child)
	write(t, path, p.data)
	var chains []string
	for _, each := range f.end() {
		var span trace.Span
		if err := proto.Unmarshal([]byte(each), &span); err != nil {
			t.Fatal(err)
		}
		if link := span.Links; len(link) > 0 {
			chains = append(chains, fmt.Sprintf("%x", link[0].SpanId))
		}
	}
	return chains
}

func TestHistoryKeeps100000Calls(t *testing.T) {
	exact := lateChain(t, 10)
	if len(exact) != 1 {
		t.Fatalf("%d links", len(exact))
	}
	if got := lateChain(t, 99_990); !reflect.DeepEqual(got, exact) {
		t.Errorf("parent call %s after 99,990 calls, want %s", got, exact)
	}
	if got := lateChain(t, 100_010); reflect.DeepEqual(got, exact) {
		t.Errorf("parent call %s is still known after 100,010 calls", got)
	}
}

func TestIdleTracksAreDiscarded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	p := newProgram(1)
	first := p.beginTrack(nil)
	for i := 0; i < 60_000; i++ {
		p.now++
		p.leaveSilently(p.beginTrackFrom(first, 1))
	}
	write(t, path, p.data)
	f := followFile(t, path, choices[0])
	if spans := f.end(); len(spans) != 60_001 {
		t.Errorf("%d spans", len(spans))
	}
	if tracks := reflect.ValueOf(f.pipe.calls).Elem().FieldByName("tracks").Len(); tracks < 20_000 || tracks > 23_000 {
		t.Errorf("%d tracks kept", tracks)
	}
}

// Each track starts the next; the last call of all fails.
func TestAncestorsAreLimited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	p := newProgram(1)
	track := p.beginTrack(nil)
	for i := 0; i < 1000; i++ {
		p.now++
		next := p.beginTrackFrom(track, 1)
		p.leaveSilently(track)
		track = next
	}
	p.fail(track)
	write(t, path, p.data)
	if found := followFile(t, path, choices[1]).end(); len(found) < 256 || len(found) > 513 {
		t.Errorf("%d spans above the failed call", len(found))
	}
	if found := followFile(t, path, choices[0]).end(); len(found) != 1001 {
		t.Errorf("%d spans in total", len(found))
	}
}

// A damaged, truncated or shrinking file neither ends nor hangs the sender.
func FuzzFollow(f *testing.F) {
	vectors, _ := filepath.Glob("../../tests/vectors/*.ftrace")
	for _, vector := range vectors {
		data, err := os.ReadFile(vector)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint16(9000), uint8(0))
	}
	f.Fuzz(followDamaged)
}

func followDamaged(t *testing.T, data []byte, cut uint16, choice uint8) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	write(t, path, data[:min(max(int(cut), 4096), len(data))])
	followed := followFile(t, path, choices[int(choice)%len(choices)])
	for i := 0; i < 3; i++ {
		if _, err := followed.pipe.round(false); err != nil {
			return
		}
	}
	write(t, path, data)
	if _, err := followed.pipe.round(false); err != nil {
		return
	}
	write(t, path, data[:len(data)/2])
	followed.pipe.round(false)
	followed.pipe.end()
}

func TestDamagedFiles(t *testing.T) {
	vectors, _ := filepath.Glob("../../tests/vectors/*.ftrace")
	random := rand.New(rand.NewSource(1))
	for i := 0; i < 300; i++ {
		vector := vectors[i%len(vectors)]
		data, err := os.ReadFile(vector)
		if err != nil {
			t.Fatal(err)
		}
		for n := random.Intn(40); n >= 0; n-- {
			data[48+random.Intn(len(data)-48)] = byte(random.Intn(256))
		}
		name := strings.TrimSuffix(filepath.Base(vector), ".ftrace")
		t.Run(name, func(t *testing.T) { followDamaged(t, data, uint16(random.Intn(len(data))), uint8(i)) })
	}
}
