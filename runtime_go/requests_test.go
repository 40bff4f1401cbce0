//go:build trace

package functrace_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"functrace"
)

const (
	exampleTraceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	exampleTraceparent = "00-" + exampleTraceID + "-00f067aa0ba902b7-01"
)

func init() {
	for name, program := range map[string]func(){
		"requests":       requests,
		"requests panic": func() { run(func() { defer func() { recover() }(); servePanic() }) },
		"stream":         stream,
		"sent":           sent,
		"minted":         minted,
		"flood":          flood,
		"demote":         demoteRequests,
		"request costs":  requestCosts,
	} {
		programs[name] = program
	}
}

// serve stands for a server that is called with these headers.
func serve(path string, headers map[string][]string, handler func(ctx context.Context), status int, failure any) {
	ctx, request := functrace.BeginInbound(context.Background(), functrace.HTTP, "GET", path, "", headers)
	defer functraceEndRequest(request, status, failure)
	handler(ctx)
}

// functraceEndRequest is what the function in net/http is called.
func functraceEndRequest(r *functrace.Request, status int, failure any) {
	r.End(status, "/users/{name}", failure)
}

func call(ctx context.Context, headers map[string][]string, status int, failure any) *functrace.Request {
	r := functrace.BeginOutbound(ctx, functrace.HTTP, "POST", "pay:80", "/pay/1", "", headers)
	r.End(status, "", failure)
	return r
}

func requests() {
	defer functrace.Trace()()
	received := map[string][]string{"Traceparent": {exampleTraceparent}, "Tracestate": {"ft=00000000000000aa:1f"}}
	serve("/users/17", received, func(ctx context.Context) {
		d()
		call(ctx, map[string][]string{"Traceparent": {exampleTraceparent}}, 503, "503 Service Unavailable")
		call(context.Background(), nil, 200, nil) // on the goroutine of the inbound call
		run(func() {
			call(ctx, nil, 200, nil)
			call(context.Background(), nil, -1, errors.New("refused"))
		})
	}, 200, nil)
	call(context.Background(), nil, 404, "404 Not Found")
}

func servePanic() { serve("/", nil, func(context.Context) { panics() }, 500, nil) }

func stream() {
	serve("/", nil, func(ctx context.Context) {
		r := functrace.BeginStream(ctx, functrace.GRPC, "/store.Store/Watch", nil)
		a()
		run(func() { r.End(14, "", "UNAVAILABLE") })
		r.End(0, "", nil)
	}, 200, nil)
}

// sent prints the headers that outbound calls get.
func sent() {
	received := map[string][]string{"Traceparent": {exampleTraceparent}, "Tracestate": {"a=1"}, "B3": {"0"}}
	var ended context.Context
	show := func(what string, ctx context.Context, headers map[string][]string) {
		fmt.Println(what, call(ctx, headers, 200, nil).Headers())
	}
	serve("/", received, func(ctx context.Context) {
		ended = ctx
		show("inside", ctx, map[string][]string{"Accept": {"*/*"}})
		show("own", ctx, map[string][]string{"traceparent": {"mine"}})
		show("state", ctx, map[string][]string{"tracestate": {"mine=1"}})
	}, 200, nil)
	show("outside", context.Background(), nil)
	show("ended", ended, nil)
}

// minted serves a request without ids, which sends two more.
func minted() {
	serve("/", map[string][]string{"Tracestate": {"ft=00000000000000aa:1f"}}, func(ctx context.Context) {
		call(ctx, nil, 200, nil)
		call(ctx, nil, 200, nil)
	}, 200, nil)
}

func flood() {
	for i := 0; i < 5000; i++ {
		serve(fmt.Sprintf("/x%dx", i), nil, func(context.Context) {}, 200, nil)
	}
}

func demoteRequests() {
	for i := 0; i < 3; i++ {
		serve("/", nil, func(context.Context) {}, 200, nil)
		functrace.DemoteRequests()
	}
}

func requestCosts() {
	received := map[string][]string{"Traceparent": {exampleTraceparent}, "Tracestate": {"a=1"}}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			serve("/users/17", received, func(ctx context.Context) {}, 200, nil)
		}
	})
	fmt.Fprintln(os.Stderr, "inbound", result, result.MemString())
	result = testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			call(context.Background(), received, 200, nil)
		}
	})
	fmt.Fprintln(os.Stderr, "outbound", result, result.MemString())
}

// texts are the events of a track without times.
func (t *decodedTrack) texts() string {
	var b strings.Builder
	for _, e := range t.events {
		fmt.Fprintln(&b, e.kind, e.name)
	}
	return b.String()
}

func TestRequestsAreCallsOfRequestFunctions(t *testing.T) {
	d, _, _ := record(t, "requests")
	expect(t, d.main().texts(), `-> requests
-> GET /users/{id}
request in http 1 `+exampleTraceID+`-00f067aa0ba902b7 sampled ft=00000000000000aa:1f
-> d
<- d
-> POST pay/pay/{id}
request out http 2 of 1 `+exampleTraceID+`-00f067aa0ba902b7 sampled
status 503
error 503 Service Unavailable
<- POST pay/pay/{id}
-> POST pay/pay/{id}
request out http 3 of 1
status 200
<- POST pay/pay/{id}
status 200 GET /users/{name}
<- GET /users/{id}
-> POST pay/pay/{id}
request out http 6 of 0
status 404
error 404 Not Found
<- POST pay/pay/{id}
<- requests
`)
	for id, track := range d.tracks {
		if id != 1 {
			expect(t, track.texts(), `-> POST pay/pay/{id}
request out http 4 of 1
status 200
<- POST pay/pay/{id}
-> POST pay/pay/{id}
request out http 5 of 0
error refused
<- POST pay/pay/{id}
`)
		}
	}
	kinds := map[string]string{}
	for number, kind := range d.requests {
		kinds[d.functions[number]] = kind
	}
	expect(t, fmt.Sprint(kinds), fmt.Sprint(map[string]string{
		"GET /users/{id}": "1 1", "POST pay/pay/{id}": "2 1", "GET /users/{name}": "1 1",
	}))
}

func TestRequestThatPanics(t *testing.T) {
	d, _, _ := record(t, "requests panic")
	text := "oops"
	if !functrace.IsFast() {
		text = "" // it is not known
	}
	for _, track := range d.tracks {
		expect(t, track.texts(), `-> GET /
request in http 1
-> panics
panic `+text+`
<- panics
status 500 GET /users/{name}
panic `+text+`
<- GET /
`)
	}
}

func TestStreamHasATrackOfItsOwn(t *testing.T) {
	d, _, _ := record(t, "stream")
	track := d.tracks[1<<48+2]
	if track == nil || track.parent != 1 {
		t.Fatalf("%+v", d.tracks)
	}
	expect(t, track.texts(), `-> grpc store.Store/Watch
request out grpc 2 of 1
status grpc 14
error UNAVAILABLE
<- grpc store.Store/Watch
`)
}

func TestHeadersOfOutboundCalls(t *testing.T) {
	for mode, want := range map[string]string{
		"observe": "inside []\nown []\nstate []\noutside []\nended []\n",
		"off":     "inside []\nown []\nstate []\noutside []\nended []\n",
		"forward": `inside [{Traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01} {Tracestate ft=KEY:2,a=1} {B3 0}]
own []
state [{Traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01} {B3 0}]
outside [{Tracestate ft=KEY:5}]
ended [{Tracestate ft=KEY:6}]
`,
		"span": `inside [{Traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-NEW-01} {Tracestate ft=KEY:2,a=1} {B3 0}]
own []
state [{Traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-NEW-01} {B3 0}]
outside [{Traceparent 00-TRACE-NEW-01} {Tracestate ft=KEY:5}]
ended [{Traceparent 00-TRACE-NEW-01} {Tracestate ft=KEY:6}]
`,
	} {
		d, stdout, _ := record(t, "sent", "FUNCTRACE_PROPAGATE="+mode, "OTEL_SERVICE_NAME=other", "FUNCTRACE_SERVICE=shop")
		key := regexp.MustCompile(`"process_key":"([0-9a-f]{16})","service":"shop"`).FindStringSubmatch(d.process)
		if key == nil {
			t.Fatal(d.process)
		}
		stdout = strings.ReplaceAll(stdout, key[1], "KEY")
		stdout = strings.ReplaceAll(stdout, exampleTraceparent[36:52], "RECEIVED")
		stdout = strings.ReplaceAll(stdout, exampleTraceID, "KNOWN")
		stdout = regexp.MustCompile(`\b[0-9a-f]{32}\b`).ReplaceAllString(stdout, "TRACE")
		stdout = regexp.MustCompile(`\b[0-9a-f]{16}\b`).ReplaceAllString(stdout, "NEW")
		stdout = strings.ReplaceAll(strings.ReplaceAll(stdout, "KNOWN", exampleTraceID), "RECEIVED", exampleTraceparent[36:52])
		expect(t, stdout, want)
		if isOff := len(d.requests) == 0; isOff != (mode == "off") {
			t.Errorf("%s has the request functions %v", mode, d.requests)
		}
	}
}

// tracestate without traceparent is read if it has the member ft, which is sent where no inbound call is known.
func TestMemberWithoutTraceparent(t *testing.T) {
	d, _, _ := record(t, "minted")
	if text := d.main().texts(); !strings.HasPrefix(text, "-> GET /\nrequest in http 1 ft=00000000000000aa:1f\n") {
		t.Error(text)
	}
}

// The trace of a request that brings no ids begins with it, and all that it sends is in that.
func TestIdsOfAnInboundCallWithoutIds(t *testing.T) {
	d, _, _ := record(t, "minted", "FUNCTRACE_PROPAGATE=span")
	ids := regexp.MustCompile(`request (\w+) http \d(?: of \d)? ([0-9a-f]{32})-([0-9a-f]{16}) sampled minted`)
	found := ids.FindAllStringSubmatch(d.main().texts(), -1)
	if len(found) != 3 {
		t.Fatal(d.main().texts())
	}
	spans := map[string]bool{}
	for i, request := range found {
		if want := []string{"in", "out", "out"}[i]; request[1] != want || request[2] != found[0][2] {
			t.Errorf("%s, not %s in trace %s", request, want, found[0][2])
		}
		spans[request[3]] = true
	}
	if len(spans) != 3 {
		t.Errorf("%d span ids", len(spans))
	}
}

func TestNamesOfRequestsAreLimited(t *testing.T) {
	d, _, _ := record(t, "flood")
	if n := len(d.requests); n != 4097 {
		t.Errorf("%d request functions", n)
	}
	calls := 0
	for _, e := range d.main().events {
		if e.kind == "->" && e.name == "GET (other)" {
			calls++
		}
	}
	if calls != 5000-4095 {
		t.Errorf("%d calls of the others", calls)
	}
}

func TestRequestsAreNotDemoted(t *testing.T) {
	d, _, _ := record(t, "demote", "FUNCTRACE_BUDGET=1%")
	if n := strings.Count(d.main().texts(), "-> GET /\n"); n != 3 || len(d.demotions) != 0 {
		t.Errorf("%d requests, demotions %v", n, d.demotions)
	}
}

func TestShortCallsInsideRequestsAreLeftOut(t *testing.T) {
	d, _, _ := record(t, "requests", "FUNCTRACE_MIN_DURATION=1h")
	text := d.main().texts()
	if !strings.HasPrefix(text, "-> requests\n-> GET /users/{id}\nrequest in http 1 ") || strings.Contains(text, "-> d\n") {
		t.Error(text)
	}
}

func TestFiltersDoNotApplyToRequests(t *testing.T) {
	d, _, _ := record(t, "requests", "FUNCTRACE_INCLUDE=nothing")
	if text := d.main().texts(); !strings.HasPrefix(text, "-> GET /users/{id}\n") {
		t.Error(text)
	}
}
