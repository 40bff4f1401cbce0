package tracehttp

import (
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"functrace"
)

// Handler serves, below wherever it is mounted:
//
//	start             tracing goes on, or begins if FUNCTRACE=off has kept it from it
//	stop              no more calls are traced
//	trace             what has been recorded so far, as a file
//	trace?seconds=N   the same after N seconds of tracing, which stops if it had been stopped
//
// start and stop want a POST.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	switch what := path.Base(r.URL.Path); {
	case what == "trace":
		serveTrace(w, r)
	case what != "start" && what != "stop":
		http.Error(w, "start, stop or trace", http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, what+" wants a POST", http.StatusMethodNotAllowed)
	case what == "stop":
		functrace.Stop()
		fmt.Fprintln(w, "stopped")
	default:
		if err := functrace.Start(); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		fmt.Fprintln(w, "started")
	}
}

func serveTrace(w http.ResponseWriter, r *http.Request) {
	if text := r.FormValue("seconds"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || seconds <= 0 || seconds > 3600 {
			http.Error(w, "seconds: a number up to 3600", http.StatusBadRequest)
			return
		}
		if err := traceFor(r, time.Duration(seconds*float64(time.Second))); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="trace.ftrace"`)
	if err := functrace.Snapshot(w); err != nil {
		w.Header().Del("Content-Disposition")
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// traceFor traces for a time, or until the client goes away.
func traceFor(r *http.Request, d time.Duration) error {
	wasStopped := functrace.Stopped()
	if err := functrace.Start(); err != nil {
		return err
	}
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
	if wasStopped {
		functrace.Stop()
	}
	return nil
}
