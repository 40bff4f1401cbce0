//go:build trace && unix

package tracehttp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"functrace"
	"functrace/tracehttp"
)

func traced() { defer functrace.Trace()() }

// The test runs itself in a process with FUNCTRACE=off, which does not record.
func TestMain(m *testing.M) {
	if os.Getenv("FUNCTRACE") == "" {
		cmd := exec.Command(os.Args[0], os.Args[1:]...)
		folder, err := os.MkdirTemp("", "")
		if err != nil {
			panic(err)
		}
		cmd.Env = append(os.Environ(), "FUNCTRACE=off", "FUNCTRACE_OUT="+folder+"/x.ftrace")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err = cmd.Run()
		os.RemoveAll(folder)
		if err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestRecordingOverHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/debug/functrace/", tracehttp.Handler())
	server := httptest.NewServer(mux)
	defer server.Close()
	ask := func(method, what string) (int, string) {
		request, _ := http.NewRequest(method, server.URL+"/debug/functrace/"+what, nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	steps := []struct {
		method, what string
		status       int
		body         string
	}{
		{"POST", "trace", 409, "nothing is being recorded"},
		{"GET", "start", 405, "use POST"},
		{"GET", "trace?seconds=0.01", 405, "use POST"},
		{"GET", "", 404, "start, stop or trace"},
		{"POST", "trace?seconds=x", 400, "a number"},
		{"POST", "trace?seconds=NaN", 400, "a number"},
		{"POST", "trace?seconds=3601", 400, "at most 3600"},
		{"POST", "start", 200, "started"},
		{"POST", "trace", 200, "tracehttp_test.traced"},
		{"POST", "stop", 200, "stopped"},
		{"POST", "trace?seconds=0.01", 200, "FTRACE\r\n"},
	}
	for _, step := range steps {
		traced()
		status, body := ask(step.method, step.what)
		if status != step.status || !strings.Contains(body, step.body) {
			t.Errorf("%s %s: %d %.80q", step.method, step.what, status, body)
		}
	}
	if !functrace.Stopped() {
		t.Error("trace?seconds= has left tracing on")
	}
}

// A request that a page of another site makes a browser send does not reach the recorder.
func TestRequestGuard(t *testing.T) {
	open := tracehttp.Handler(tracehttp.Hosts("shop.internal"))
	closed := tracehttp.Handler(tracehttp.Token("s3cret"))
	unset := tracehttp.Handler(tracehttp.Token(""))
	cases := []struct {
		name    string
		handler http.Handler
		host    string
		headers map[string]string
		status  int
	}{
		{"curl on the machine", open, "localhost:8080", nil, 200},
		{"curl by address", open, "10.0.0.7:8080", nil, 200},
		{"curl by IPv6 address", open, "[::1]:8080", nil, 200},
		{"a host that was named", open, "Shop.internal", nil, 200},
		{"DNS rebinding", open, "evil.example:8080", nil, 403},
		{"a name that begins like an address", open, "127.0.0.1.evil.example", nil, 403},
		{"no host", open, "", nil, 403},
		{"the own page", open, "localhost:8080", map[string]string{"Origin": "http://localhost:8080"}, 200},
		{"another site", open, "localhost:8080", map[string]string{"Origin": "https://evil.example"}, 403},
		{"another port", open, "localhost:8080", map[string]string{"Origin": "http://localhost:9090"}, 403},
		{"a sandboxed page", open, "localhost:8080", map[string]string{"Origin": "null"}, 403},
		{"a form elsewhere", open, "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sibling's form", open, "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"the token", closed, "any.example", map[string]string{"Authorization": "Bearer s3cret"}, 200},
		{"a wrong token", closed, "localhost", map[string]string{"Authorization": "Bearer s3cre"}, 401},
		{"no token", closed, "localhost", nil, 401},
		{"the token as a password", closed, "localhost", map[string]string{"Authorization": "Basic s3cret"}, 401},
		{"a token that was not set", unset, "localhost", map[string]string{"Authorization": "Bearer "}, 401},
	}
	for _, c := range cases {
		request := httptest.NewRequest("POST", "/debug/functrace/stop", nil)
		request.Host = c.host
		for name, value := range c.headers {
			request.Header.Set(name, value)
		}
		response := httptest.NewRecorder()
		c.handler.ServeHTTP(response, request)
		if response.Code != c.status {
			t.Errorf("%s: %d %q, want %d", c.name, response.Code, response.Body, c.status)
		}
	}
}

// During a window, other requests are rejected; a client that disconnects ends it.
func TestOneRequestAtATime(t *testing.T) {
	functrace.Stop()
	handler := tracehttp.Handler()
	ctx, leave := context.WithCancel(context.Background())
	window := httptest.NewRequest("POST", "http://localhost/trace?seconds=3600", nil).WithContext(ctx)
	done := make(chan int)
	go func() {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, window)
		done <- response.Code
	}()
	for functrace.Stopped() {
		runtime.Gosched()
	}
	for _, what := range []string{"start", "stop", "trace", "trace?seconds=1"} {
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequest("POST", "http://localhost/"+what, nil))
		if response.Code != http.StatusConflict {
			t.Errorf("%s during a window: %d %q", what, response.Code, response.Body)
		}
	}
	leave()
	if status := <-done; status != http.StatusConflict || !functrace.Stopped() {
		t.Errorf("the client has gone: %d, stopped %v", status, functrace.Stopped())
	}
}
