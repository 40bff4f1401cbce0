//go:build !trace

package functrace

// The public API in a build without the tag trace: it does nothing.

import (
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
