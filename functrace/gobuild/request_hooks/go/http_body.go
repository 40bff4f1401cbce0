package http

import "io"

// functraceOnEnd calls a function when the body of a response is read or closed. It reports whether it will.
func functraceOnEnd(body io.ReadCloser, ended func()) bool {
	if zipped, ok := body.(*gzipReader); ok {
		body = zipped.body
	}
	signal, ok := body.(*bodyEOFSignal)
	if !ok {
		return false
	}
	signal.mu.Lock()
	defer signal.mu.Unlock()
	onEnd, onEarlyClose := signal.fn, signal.earlyCloseFn
	signal.fn = func(err error) error {
		ended()
		if onEnd == nil {
			return err
		}
		return onEnd(err)
	}
	if onEarlyClose != nil {
		signal.earlyCloseFn = func() error {
			ended()
			return onEarlyClose()
		}
	}
	return !signal.closed
}
