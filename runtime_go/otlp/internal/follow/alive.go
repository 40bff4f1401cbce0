package follow

import "functrace/otlp/internal/format"

// An Ending tells when the program that writes a file has ended.
type Ending struct {
	file    *Follower
	process process
	isClean bool // it was marked as such when it was looked at last
}

// Ending returns what watches the file's program.
func (f *Follower) Ending() *Ending {
	return &Ending{file: f, process: watch(f.Header.PID)}
}

// Close gives up what that takes.
func (e *Ending) Close() { e.process.close() }

// HasCome reports whether nothing more will be written. A program that marks its file as complete may
// be about to store a last word.
func (e *Ending) HasCome() bool {
	wasClean := e.isClean
	e.isClean = e.file.Header.Has(format.EndedCleanly)
	return wasClean || e.process.hasEnded()
}
