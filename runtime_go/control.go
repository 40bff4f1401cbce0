//go:build trace && go1.21

package functrace

import (
	"errors"
	"io"
	"sync"
)

var controlMu sync.Mutex

// Start goes on with tracing after Stop. If FUNCTRACE=off has kept it from beginning, it
// begins a recording; if trouble with the output has, it tries again.
func Start() error {
	controlMu.Lock()
	defer controlMu.Unlock()
	if settingsError != nil {
		return settingsError
	}
	if settings.mode == modeOff {
		settings.mode = modeRecord
	}
	if !isOutputOpen {
		if err := openConfiguredOutput(); err != nil {
			return err
		}
	}
	if rec.failure != nil {
		return rec.failure
	}
	off.Store(false)
	return nil
}

// Stop has no more calls traced until Start. The exits of calls that are open still are.
func Stop() { off.Store(true) }

// Snapshot writes what has been recorded so far to w, as a trace file.
func Snapshot(w io.Writer) error {
	if !recording {
		return errors.New("functrace: nothing is being recorded")
	}
	rec.mu.Lock()
	rec.calibrate()
	size := rec.size
	rec.mu.Unlock()
	_, err := io.Copy(w, io.NewSectionReader(rec.file, 0, size))
	return err
}

// Stopped reports whether calls are not traced now.
func Stopped() bool { return off.Load() }
