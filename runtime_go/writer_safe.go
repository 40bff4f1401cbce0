//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

// Writers that several threads take in turn.

import "sync"

// A writerLink is the lock of a writer.
type writerLink struct{ mu sync.Mutex }

var sharedWriters [64]writer

// pin locks a writer, always the same for a track.
//
//go:norace
func pin(t *track) *writer {
	at := t.id % uint64(len(sharedWriters))
	w := &sharedWriters[at]
	w.mu.Lock()
	w.number = at + 1
	return w
}

//go:norace
func (*recorder) allWriters() (writers [len(sharedWriters)]*writer) {
	for i := range writers {
		writers[i] = &sharedWriters[i]
	}
	return writers
}

//go:norace
func unpin(w *writer) { w.mu.Unlock() }
