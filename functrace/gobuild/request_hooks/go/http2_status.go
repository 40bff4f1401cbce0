package http2

// FunctraceStatus returns the status of the response: 0 if there is none yet, -1 if it is not known.
func (w *responseWriter) FunctraceStatus() int {
	rws := w.rws
	if rws == nil {
		return -1
	}
	if !rws.wroteHeader {
		return 0
	}
	return rws.status
}
