//go:build !trace

package functrace

import (
	"errors"
	"io"
)

// Trace does nothing in a build without the tag trace.
func Trace() func() { return nothing }

func nothing() {}

// A Call is what Exit is to be told of.
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
