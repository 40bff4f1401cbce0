package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"testing"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"functrace/otlp/internal/spans"
)

// An overwritingCase is shared with the Python sender; see tests/live/overwritten.py.
type overwritingCase struct {
	Name   string
	Writes []struct {
		At      int64
		Content string
	}
	Rounds          int
	Errors          bool
	Spans           []string
	LostEvents      uint64 `json:"lost_events"`
	CallsWithoutEnd uint64 `json:"calls_without_end"`
}

func TestOverwritingAsInPython(t *testing.T) {
	data, err := os.ReadFile("../../tests/vectors_of_overwriting.json")
	if err != nil {
		t.Skip("the test vectors are not part of the module")
	}
	var vectors struct {
		Start string
		Cases []overwritingCase
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, c := range vectors.Cases {
		t.Run(c.Name, func(t *testing.T) { c.check(t, vectors.Start) })
	}
}

func (c *overwritingCase) check(t *testing.T, start string) {
	path := filepath.Join(t.TempDir(), "x.ftrace")
	write(t, path, fromHex(t, start))
	f := followFile(t, path, spans.Options{Share: 1, MinDurationNs: -1, Errors: c.Errors})
	f.round()
	for i, each := range c.Writes {
		for n := 0; i == len(c.Writes)-1 && n < c.Rounds; n++ {
			f.round()
		}
		writeAt(t, path, fromHex(t, each.Content), each.At)
	}
	if got := spanNames(t, f.end()); !reflect.DeepEqual(got, c.Spans) {
		t.Errorf("%q, not %q", got, c.Spans)
	}
	if got := f.pipe.file.Lost.Events; got != c.LostEvents {
		t.Errorf("%d events lost, not %d", got, c.LostEvents)
	}
	if got := f.pipe.maker.WithoutEnd; got != c.CallsWithoutEnd {
		t.Errorf("%d calls without an end, not %d", got, c.CallsWithoutEnd)
	}
}

func fromHex(t *testing.T, text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeAt(t *testing.T, path string, content []byte, at int64) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteAt(content, at)
		file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// spanNames returns the sorted names of encoded spans, and which calls are unfinished.
func spanNames(t *testing.T, encoded []string) []string {
	names := []string{}
	for _, each := range encoded {
		var span trace.Span
		if err := proto.Unmarshal([]byte(each), &span); err != nil {
			t.Fatal(err)
		}
		name := span.Name
		for _, attribute := range span.Attributes {
			if attribute.Key == "functrace.unfinished" {
				name += " unfinished"
			}
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
