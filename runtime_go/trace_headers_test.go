//go:build trace

package functrace

import (
	"encoding/json"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// The vectors are those of the Python recorder, too.
type headerCase struct {
	Name          string
	Headers       [][2]string
	TraceID       string `json:"trace_id"`
	SpanID        string `json:"span_id"`
	Sampled       bool
	Ft            map[string]string
	Forward, Span [][2]string
}

func readHeaderVectors(t testing.TB) (own map[string]any, cases []headerCase) {
	t.Helper()
	content, err := os.ReadFile("../tests/vectors/trace_headers.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Own   map[string]any
		Cases []headerCase
	}
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	return v.Own, v.Cases
}

func TestTraceHeaders(t *testing.T) {
	own, cases := readHeaderVectors(t)
	key, _ := strconv.ParseUint(own["process_key"].(string), 16, 64)
	number := uint64(own["number"].(float64))
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got := parseTraceHeaders(GRPC, headersOf(c.Headers))
			traceID := got.traceID
			if len(traceID) == 16 {
				traceID = "0000000000000000" + traceID
			}
			if traceID != c.TraceID || got.spanID != c.SpanID || got.isSampled != c.Sampled {
				t.Errorf("%+v", got)
			}
			if ft := ftOf(got); !reflect.DeepEqual(ft, c.Ft) {
				t.Errorf("ft is %v, not %v", ft, c.Ft)
			}
			if forward := pairs(got.forwarded(GRPC, key, number)); !reflect.DeepEqual(forward, c.Forward) {
				t.Errorf("forward:\n%v\nwant:\n%v", forward, c.Forward)
			}
			if traceID == "" {
				traceID = own["trace_id"].(string)
			}
			span := pairs(got.child(GRPC, key, number, traceID, own["span_id"].(string)))
			if !reflect.DeepEqual(span, c.Span) {
				t.Errorf("span:\n%v\nwant:\n%v", span, c.Span)
			}
		})
	}
}

func headersOf(list [][2]string) map[string][]string {
	headers := map[string][]string{}
	for _, pair := range list {
		name := strings.ToLower(pair[0])
		headers[name] = append(headers[name], pair[1])
	}
	return headers
}

func ftOf(c traceContext) map[string]string {
	if c.processKey == 0 {
		return nil
	}
	return map[string]string{"process_key": hex16(c.processKey), "number": strconv.FormatUint(c.number, 16)}
}

func pairs(headers []Header) (list [][2]string) {
	for _, h := range headers {
		list = append(list, [2]string{h.Name, h.Value})
	}
	return list
}

// Whatever arrives, what is sent on can be parsed and has the same ids.
func FuzzTraceHeaders(f *testing.F) {
	_, cases := readHeaderVectors(f)
	for _, c := range cases {
		seed := headersOf(c.Headers)
		f.Add(first(seed["traceparent"]), strings.Join(seed["tracestate"], ","), first(seed["b3"]), first(seed["x-b3-traceid"]),
			first(seed["x-b3-spanid"]), first(seed["x-b3-sampled"]), true)
	}
	f.Fuzz(func(t *testing.T, traceparent, tracestate, b3, traceID, spanID, sampled string, isTwice bool) {
		headers := map[string][]string{
			"traceparent": {traceparent}, "tracestate": {tracestate}, "b3": {b3}, "x-b3-traceid": {traceID}, "x-b3-spanid": {spanID},
			"x-b3-sampled": {sampled},
		}
		if isTwice {
			headers["tracestate"] = append(headers["tracestate"], tracestate)
		}
		c := parseTraceHeaders(GRPC, headers)
		if c.traceID != "" {
			idWords(c.traceID, c.spanID)
		}
		again := parseTraceHeaders(GRPC, headersOf(pairs(c.forwarded(GRPC, 7, 9))))
		if again.traceID != c.traceID || again.spanID != c.spanID || again.isSampled != c.isSampled {
			t.Errorf("forwards %+v\nof %+v", again, c)
		}
		if !c.isInvalid && (again.processKey != 7 || again.number != 9 || len(again.tracestate) > maxTracestate) {
			t.Errorf("tracestate is %q", again.tracestate)
		}
		child := parseTraceHeaders(GRPC, headersOf(pairs(c.child(GRPC, 7, 9, strings.Repeat("a", 32), "00000000000000b7"))))
		if isW3C := c.traceparent != "" || c.traceID == ""; child.spanID != "00000000000000b7" || isW3C != (child.traceparent != "") {
			t.Errorf("%+v is the child of %+v", child, c)
		}
	})
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
