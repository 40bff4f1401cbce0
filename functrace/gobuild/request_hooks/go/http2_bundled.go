package http

// functraceHTTP2Status returns the status of a response over HTTP/2: 0 if there is none yet, -1 if it is not
// known.
func functraceHTTP2Status(rw ResponseWriter) int {
	w, ok := rw.(*http2responseWriter)
	if !ok || w.rws == nil {
		return -1
	}
	if !w.rws.wroteHeader {
		return 0
	}
	return w.rws.status
}
