//go:build trace && go1.21

package functrace

import (
	"os"
	"unsafe"
)

// Release of finished parts of the trace. Memory mapped from the trace counts as the program's;
// released parts leave the page table of the process and stay in the file.

var pageSize = uintptr(os.Getpagesize())

// Number of segments before the current one that are not released, since most tracks still write
// to them.
const keptSegments = 2

// releaseOld releases the newest segment that is no longer kept.
//
//go:norace
func (r *recorder) releaseOld() {
	at := r.current - keptSegments
	if at < 0 {
		at += len(r.segments)
	}
	if len(r.segments) > keptSegments {
		s := r.segments[at]
		s.released = true
		release(s.memory)
	}
}

// releaseChunk releases a chunk that a track filled after its segment was released. Other users
// of the pages at its ends get them back from the file.
//
//go:norace
func (s *segment) releaseChunk(words []uint64) {
	if len(words) == 0 {
		return
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(s.memory)))
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(words))) - first
	end := begin + uintptr(8*len(words))
	begin &^= pageSize - 1
	end = min((end+pageSize-1)&^(pageSize-1), uintptr(len(s.memory)))
	release(s.memory[begin:end])
}
