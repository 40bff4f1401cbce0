//go:build !trace

package functrace

// The public API in a build without the tag trace: it does nothing.

import (
	"context"
	"errors"
	"io"
)

// Trace does nothing in a build without the tag trace.
func Trace() func() { return doNothing }

// doNothing is the exit function that Trace returns.
func doNothing() {}

// A Call is the argument of Exit.
type Call struct{}

// Enter does nothing in a build without the tag trace.
func Enter() Call { return Call{} }

// Exit does nothing in a build without the tag trace.
func Exit(Call, *error) {}

var errNotTraced = errors.New("functrace: not built with the tag trace")

// Start fails in a build without the tag trace.
func Start() error { return errNotTraced }

// Stop does nothing in a build without the tag trace.
func Stop() {}

// Snapshot fails in a build without the tag trace.
func Snapshot(io.Writer) error { return errNotTraced }

// Stopped reports true in a build without the tag trace.
func Stopped() bool { return true }

// A Protocol is that of a request.
type Protocol uint8

// The protocols whose requests are recorded.
const (
	HTTP Protocol = 1
	GRPC Protocol = 2
)

// A Header is one that an outbound call sends in addition to the program's.
type Header struct{ Name, Value string }

// A Request is an inbound or outbound call that is being recorded.
type Request struct{}

// MayRecordRequests reports false in a build without the tag trace.
func MayRecordRequests() bool { return false }

// RecordsRequests reports false in a build without the tag trace.
func RecordsRequests() bool { return false }

// BeginInbound does nothing in a build without the tag trace.
func BeginInbound(ctx context.Context, _ Protocol, _, _, _ string, _ map[string][]string) (context.Context, *Request) {
	return ctx, nil
}

// BeginOutbound does nothing in a build without the tag trace.
func BeginOutbound(context.Context, Protocol, string, string, string, string, map[string][]string) *Request {
	return nil
}

// BeginStream does nothing in a build without the tag trace.
func BeginStream(context.Context, Protocol, string, map[string][]string) *Request { return nil }

// Headers returns nothing in a build without the tag trace.
func (*Request) Headers() []Header { return nil }

// End does nothing in a build without the tag trace.
func (*Request) End(int, string, interface{}) {}
