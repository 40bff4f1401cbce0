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
	// A response to a client that accepts no data for this long is aborted.
	writeTimeout = 30 * time.Second
)

// Handler serves POST requests below the path where it is mounted:
//
//	start             resumes tracing, or starts it if FUNCTRACE=off prevented it
//	stop              pauses tracing
//	trace             returns the recording so far, as a file
//	trace?seconds=N   the same after N seconds of tracing, paused again afterwards if it was paused
//
// One request is served at a time; concurrent ones get status 409. Requests that a web page of
// another site makes a browser send are rejected; see Token and Hosts.
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

// parseSeconds parses the length of a window.
func parseSeconds(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0 && seconds <= maxWindow.Seconds()) {
		return 0, fmt.Errorf("seconds: a number above 0, at most %.0f", maxWindow.Seconds())
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// traceFor traces for the duration of window. It fails if the client disconnects first.
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

// A deadlineWriter aborts the response to a client that accepts no data for writeTimeout, if the
// server supports deadlines.
type deadlineWriter struct{ http.ResponseWriter }

func (w *deadlineWriter) Write(data []byte) (int, error) {
	// Servers without deadlines have no such limit.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	return w.ResponseWriter.Write(data)
}
