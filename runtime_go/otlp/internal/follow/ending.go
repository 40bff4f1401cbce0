package follow

import "functrace/otlp/internal/format"

// An Ending watches for the end of the program that writes a file.
type Ending struct {
	file    *Follower
	process process
	isClean bool // the file was marked as complete at the last check
}

// Ending returns a watcher of the file's program.
func (f *Follower) Ending() *Ending {
	return &Ending{file: f, process: watch(f.Header.PID)}
}

// Close releases the watcher's descriptors.
func (e *Ending) Close() { e.process.close() }

// HasCome reports whether nothing more will be written. A program may still store a last word after it
// has marked its file as complete, so the mark counts from the second check on.
func (e *Ending) HasCome() bool {
	wasClean := e.isClean
	e.isClean = e.file.Header.Has(format.EndedCleanly)
	return wasClean || e.process.hasEnded()
}
