package http

import (
	"context"
	"io"
)

// functraceOnEnd returns false: bodies of responses are of another kind in this version of Go.
func functraceOnEnd(context.Context, io.ReadCloser, func()) bool { return false }
