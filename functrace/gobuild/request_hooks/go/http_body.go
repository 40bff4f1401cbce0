package http

import (
	"context"
	"io"
)

// functraceOnEnd calls a function when the body of a response is read to its end or closed, and when the context
// is canceled: a program may leave a body open. It returns false if it will not call it.
func functraceOnEnd(ctx context.Context, body io.ReadCloser, ended func()) bool {
	if zipped, ok := body.(*gzipReader); ok {
		body = zipped.body
	}
	signal, ok := body.(*bodyEOFSignal)
	if !ok {
		return false
	}
	signal.mu.Lock()
	defer signal.mu.Unlock()
	if signal.closed || signal.rerr != nil {
		return false
	}
	unwatch := context.AfterFunc(ctx, ended)
	onEnd, onEarlyClose := signal.fn, signal.earlyCloseFn
	signal.fn = func(err error) error {
		unwatch()
		ended()
		if onEnd == nil {
			return err
		}
		return onEnd(err)
	}
	if onEarlyClose != nil {
		signal.earlyCloseFn = func() error {
			unwatch()
			ended()
			return onEarlyClose()
		}
	}
	return true
}
