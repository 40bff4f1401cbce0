//go:build trace && unix

package tracehttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"functrace"
	"functrace/tracehttp"
)

func traced() { defer functrace.Trace()() }

// The test runs itself in a process that FUNCTRACE=off keeps from recording.
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
		{"GET", "trace", 409, "nothing is being recorded"},
		{"GET", "start", 405, "wants a POST"},
		{"GET", "", 404, "start, stop or trace"},
		{"GET", "trace?seconds=x", 400, "a number"},
		{"POST", "start", 200, "started"},
		{"GET", "trace", 200, "tracehttp_test.traced"},
		{"POST", "stop", 200, "stopped"},
		{"GET", "trace?seconds=0.01", 200, "FTRACE\r\n"},
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
