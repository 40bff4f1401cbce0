package http

// functraceHTTP2Status returns -1: net/http was built without HTTP/2.
func functraceHTTP2Status(ResponseWriter) int { return -1 }
