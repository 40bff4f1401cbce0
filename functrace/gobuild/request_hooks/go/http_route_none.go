package http

// functraceRoute returns "": requests have no patterns in this version of Go.
func functraceRoute(*Request) string { return "" }
