//go:build trace && unix && !functrace_safe && (amd64 || arm64)

package functrace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"testing"

	"functrace"
)

// The meaning of a trace, as the files beside the vectors have it.
type meaning struct {
	EndedCleanly bool `json:"ended_cleanly"`
	Functions    [][3]any
	Tracks       []struct {
		ID, Parent, Line, Start uint64
		Starter                 string
		Calls                   []meantCall
	}
}

type meantCall struct {
	Function                         string
	Start, Duration                  uint64
	Error, Panic, Goexit, Unfinished bool
	Text                             string
	Calls                            []meantCall
}

// What no Go recorder writes is in the other vectors: lost events, Python, changes of the base
// at will, and what has been overwritten.
func TestVectors(t *testing.T) {
	for _, name := range []string{"calls", "goroutines", "killed"} {
		t.Run(name, func(t *testing.T) {
			var m meaning
			stem := filepath.Join("..", "tests", "vectors", name)
			if text, err := os.ReadFile(stem + ".json"); err != nil || json.Unmarshal(text, &m) != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "x.ftrace")
			if err := functrace.WriteVector(path, m.vector()); err != nil {
				t.Fatal(err)
			}
			d := decode(t, path)
			for _, track := range m.Tracks {
				var want []event
				for _, call := range track.Calls {
					want = append(want, call.events()...)
				}
				got := d.track(track.ID)
				if !reflect.DeepEqual(got.events, want) {
					t.Errorf("goroutine %d:\n%v\nwant:\n%v", track.ID, got.events, want)
				}
				origin := fmt.Sprint(got.parent, got.starter, got.line, got.start)
				expect(t, origin, fmt.Sprint(track.Parent, track.Starter, track.Line, vectorStart+track.Start))
			}
			expectHeader(t, path, stem+".ftrace")
		})
	}
}

const vectorStart = 1000 // ticks, one a nanosecond

// vector tells what happens in the order in which it does.
func (m *meaning) vector() functrace.Vector {
	v := functrace.Vector{Functions: m.Functions, EndedCleanly: m.EndedCleanly, Origins: map[uint64]functrace.Origin{}}
	for _, track := range m.Tracks {
		v.Origins[track.ID] = functrace.Origin{Parent: track.Parent, Starter: track.Starter, Line: int(track.Line)}
		for _, call := range track.Calls {
			v.Events = append(v.Events, call.vector(track.ID)...)
		}
	}
	sort.SliceStable(v.Events, func(i, j int) bool { return v.Events[i].Ticks < v.Events[j].Ticks })
	return v
}

func (c *meantCall) vector(track uint64) []functrace.VectorEvent {
	first := functrace.VectorEvent{Track: track, Ticks: vectorStart + c.Start, Function: c.Function}
	events := []functrace.VectorEvent{first}
	for _, call := range c.Calls {
		events = append(events, call.vector(track)...)
	}
	if !c.Unfinished {
		last := first
		last.Ticks, last.Exit, last.How, last.ErrorOrPanic = first.Ticks+c.Duration, true, c.how(), c.Text
		events = append(events, last)
	}
	return events
}

func (c *meantCall) how() string {
	switch {
	case c.Error:
		return "error"
	case c.Panic:
		return "panic"
	case c.Goexit:
		return "goexit"
	}
	return ""
}

// events is what must have been decoded.
func (c *meantCall) events() []event {
	start := vectorStart + c.Start
	events := []event{{"->", c.Function, start}}
	for _, call := range c.Calls {
		events = append(events, call.events()...)
	}
	if how := c.how(); how != "" {
		events = append(events, event{kind: how, name: c.Text})
	}
	if !c.Unfinished {
		events = append(events, event{"<-", c.Function, start + c.Duration})
	}
	return events
}

// expectHeader compares the bytes that the format fixes: all but the process and the calibrations.
func expectHeader(t *testing.T, got, want string) {
	t.Helper()
	headers := [2][]byte{}
	for i, path := range []string{got, want} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		headers[i] = bytes.Join([][]byte{content[:16], content[20:64], content[128:4096]}, nil)
	}
	if !bytes.Equal(headers[0], headers[1]) {
		t.Errorf("header:\n% x\nwant:\n% x", headers[0][:60], headers[1][:60])
	}
}
