//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// The writer of the thread that runs the goroutine.

import (
	"sync/atomic"
	_ "unsafe" // for go:linkname
)

// A writerLink is a writer's link in the list of its hash bucket.
type writerLink struct {
	thread uintptr // the Go runtime's descriptor of the thread
	next   *writer
}

// Writers by the address of the Go runtime's thread descriptor, m. A descriptor that the runtime has
// freed may be reused for another thread, which continues the writer.
const writerBuckets = 1 << 10

var writersByThread [writerBuckets]atomic.Pointer[writer]

// writers lists them all. It is locked by rec.mu.
var writers []*writer

// mOffset is the offset of m in g. It is verified at start.
var mOffset uintptr

// thread returns the m of this goroutine, which may change unless it is pinned.
func thread() uintptr

// pin keeps the goroutine on its thread, whose writer it returns, and lets no other goroutine run
// there. Until unpin, the goroutine must not wait, call the system, or allocate memory.
//
//go:norace
func pin(*track) *writer {
	for {
		procPin()
		m := thread()
		bucket := &writersByThread[hash(m)%writerBuckets]
		for w := bucket.Load(); w != nil; w = w.next {
			if w.thread == m {
				return w
			}
		}
		procUnpin()
		rec.addWriter(m, bucket)
	}
}

//go:norace
func unpin(*writer) { procUnpin() }

// addWriter adds a writer for the thread, unless there is one.
//
//go:norace
func (r *recorder) addWriter(m uintptr, bucket *atomic.Pointer[writer]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := bucket.Load()
	for w := first; w != nil; w = w.next {
		if w.thread == m {
			return
		}
	}
	w := &writer{writerLink: writerLink{m, first}}
	writers = append(writers, w)
	w.number = uint64(len(writers))
	bucket.Store(w)
}

//go:norace
func (*recorder) allWriters() []*writer { return writers }

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()
