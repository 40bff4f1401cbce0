package http

// functraceHTTP2Status returns the status of a response over HTTP/2: 0 if there is none yet, -1 if it is not
// known.
func functraceHTTP2Status(rw ResponseWriter) int {
	if w, ok := rw.(http2ResponseWriter); ok {
		return w.ResponseWriter.FunctraceStatus()
	}
	return -1
}
