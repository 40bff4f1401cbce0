package http

// functraceRoute returns the pattern of ServeMux that the request has matched.
func functraceRoute(req *Request) string { return req.Pattern }
