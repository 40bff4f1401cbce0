//go:build trace && go1.21

package functrace

// The API that starts and stops tracing at run time.

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

var controlMu sync.Mutex

// Start resumes tracing after Stop. If FUNCTRACE=off prevented tracing, it starts a recording; if
// an output error did, it tries again.
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
	rec.markStopped(0)
	return nil
}

// Stop pauses tracing until Start. The exits of open calls are still reported.
func Stop() {
	controlMu.Lock()
	defer controlMu.Unlock()
	off.Store(true)
	rec.markStopped(1)
}

// markStopped stores in the trace whether tracing is stopped.
func (r *recorder) markStopped(stopped uint64) {
	if r.header != nil {
		atomic.StoreUint64(&r.header[19], stopped)
	}
}

// Snapshot writes the recording so far to w, as a trace file.
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

// Stopped reports whether tracing is paused or off.
func Stopped() bool { return off.Load() }
