package tracehttp

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"functrace"
)

const (
	maxWindow = time.Hour
	// A client that takes nothing for so long is given up.
	writeTimeout = 30 * time.Second
)

// Handler serves POST requests, below wherever it is mounted:
//
//	start             tracing goes on, or begins if FUNCTRACE=off has kept it from it
//	stop              no more calls are traced
//	trace             what has been recorded so far, as a file
//	trace?seconds=N   the same after N seconds of tracing, which stops if it had been stopped
//
// One request is served at a time; others get status 409 meanwhile. Requests that a web page on
// another site has made a browser send are refused; see Token and Hosts.
func Handler(options ...Option) http.Handler {
	return &handler{guard: newGuard(options)}
}

type handler struct {
	guard *guard
	busy  sync.Mutex
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve := map[string]func(http.ResponseWriter, *http.Request){
		"start": serveStart,
		"stop":  serveStop,
		"trace": serveTrace,
	}[path.Base(r.URL.Path)]
	if serve == nil {
		http.Error(w, "start, stop or trace", http.StatusNotFound)
		return
	}
	if status, why := h.guard.refusal(r); status != 0 {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, why, status)
		return
	}
	if !h.busy.TryLock() {
		http.Error(w, "another request is being served", http.StatusConflict)
		return
	}
	defer h.busy.Unlock()
	serve(w, r)
}

func serveStart(w http.ResponseWriter, _ *http.Request) {
	if err := functrace.Start(); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	fmt.Fprintln(w, "started")
}

func serveStop(w http.ResponseWriter, _ *http.Request) {
	functrace.Stop()
	fmt.Fprintln(w, "stopped")
}

func serveTrace(w http.ResponseWriter, r *http.Request) {
	if text := r.URL.Query().Get("seconds"); text != "" {
		window, err := parseSeconds(text)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := traceFor(r, window); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="trace.ftrace"`)
	if err := functrace.Snapshot(&deadlineWriter{w}); err != nil {
		w.Header().Del("Content-Disposition")
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

func parseSeconds(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0 && seconds <= maxWindow.Seconds()) {
		return 0, fmt.Errorf("seconds: a number above 0, at most %.0f", maxWindow.Seconds())
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// traceFor traces for a time; it is an error if the client goes away before.
func traceFor(r *http.Request, window time.Duration) error {
	wasStopped := functrace.Stopped()
	if err := functrace.Start(); err != nil {
		return err
	}
	if wasStopped {
		defer functrace.Stop()
	}
	timer := time.NewTimer(window)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return errors.New("the client has gone")
	}
}

// A patientWriter gives up a client that takes nothing for writeTimeout, where the server can.
type deadlineWriter struct{ http.ResponseWriter }

func (w *deadlineWriter) Write(data []byte) (int, error) {
	// Servers that know no deadlines have no such limit.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	return w.ResponseWriter.Write(data)
}
