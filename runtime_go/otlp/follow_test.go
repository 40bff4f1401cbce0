package main

import (
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/spans"
)

// A followed file, and the spans that have come of it.
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
	f.pipe = newPipeline(file, options, f.take)
	return f
}

func (f *followed) take(batch spans.Batch) {
	data := batch.Bytes
	for i := 0; i < batch.Spans; i++ {
		_, _, tag := protowire.ConsumeTag(data)
		span, size := protowire.ConsumeBytes(data[max(tag, 0):])
		if tag < 0 || size < 0 {
			f.t.Fatal("a batch is cut off")
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
	{Share: 1, Slow: -1},
	{Share: 1, Slow: -1, Errors: true},
	{Share: 0.5, Slow: 400, Roots: []string{"f2", "main.f4"}},
}

// However a file is cut into what is there at one look and what at the next, the spans are the same.
func TestGrowingFiles(t *testing.T) {
	path, total := filepath.Join(t.TempDir(), "x.ftrace"), 0
	for seed := int64(0); seed < 60; seed++ {
		program := writeProgram(seed, 400)
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
			t.Errorf("seed %d: %d spans are not the %d of the whole", seed, len(got), len(whole))
		}
		if f.pipe.file.Lost.Events > 0 {
			t.Errorf("seed %d: events are said to be lost", seed)
		}
	}
	if total < 3000 {
		t.Errorf("%d spans in all", total)
	}
}

// write puts content into the file as it is: nobody has to see it truncated.
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

// A ring whose chunks are overwritten between two looks: what is lost is counted, what is read stays.
func TestOverwrittenChunks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	program := writeProgram(1, 400)
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
	write(t, path, newer)
	f.round()
	// As many chunks again had come and gone.
	if lost := f.pipe.file.Lost.Events; lost != uint64(before/512*59) {
		t.Errorf("%d events are said to be lost of %d chunks", lost, before/512)
	}
	if spans := f.end(); len(spans) < 50 {
		t.Errorf("%d spans", len(spans))
	}
}

// What is no trace, or damaged, cut off or shrinking, neither ends nor hangs the sender.
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
		data, err := os.ReadFile(vectors[i%len(vectors)])
		if err != nil {
			t.Fatal(err)
		}
		for n := random.Intn(40); n >= 0; n-- {
			data[48+random.Intn(len(data)-48)] = byte(random.Intn(256))
		}
		t.Run("", func(t *testing.T) { followDamaged(t, data, uint16(random.Intn(len(data))), uint8(i)) })
	}
}
