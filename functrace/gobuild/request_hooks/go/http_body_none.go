package http

import "io"

// functraceOnEnd returns false: bodies of responses are of another kind in this version of Go.
func functraceOnEnd(io.ReadCloser, func()) bool { return false }
