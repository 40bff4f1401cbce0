//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// Parent goroutines and panics, read from the Go runtime's descriptor of a goroutine.

import (
	"runtime"
	"strings"
	"unsafe"
)

var (
	// parentOffset is the offset in g of the id of the parent goroutine, which the address of the
	// go statement follows. It is 0 if unknown.
	parentOffset uintptr
	// panicOffset is the offset in g of the innermost panic, after the bounds and guards of the
	// stack. At a wrong offset the word is never 0, and every exit takes the slow path.
	//lint:ignore U1000 assembly reads it
	panicOffset uintptr = 4 * 8
	// argOffset is the offset in a panic of the second word of its argument.
	argOffset uintptr
)

// parentage returns the parent goroutine, the function whose go statement started this goroutine,
// and the line of the statement; zeros if unknown.
//
//go:norace
func (t *track) parentage() (parent, starter uint64, line int) {
	if parentOffset == 0 {
		return 0, 0, 0
	}
	parent = uint64(loadWord(t.g + parentOffset))
	pc := loadWord(t.g + parentOffset + 8)
	if parent == 0 || pc == 0 {
		return 0, 0, 0
	}
	f := functionAt(pc)
	return parent, f.number, f.line
}

// probeParent determines parentOffset: the offset at which goroutines started here and on another
// goroutine contain the ids of these two.
func probeParent() {
	offsets := make([]uintptr, 56)
	for i := range offsets {
		offsets[i] = uintptr(i) * 8
	}
	offsets = startedHere(offsets)
	offsets = onNewGoroutine(func() []uintptr { return startedHere(offsets) })
	if len(offsets) == 1 {
		parentOffset = offsets[0]
	}
}

// startedHere returns those of the offsets at which the g of a new goroutine contains this
// goroutine's id, followed by an address in this function.
func startedHere(offsets []uintptr) []uintptr {
	id := uintptr(goroutineID())
	found := make(chan []uintptr)
	go func() {
		var matching []uintptr
		g, _, _ := state()
		for _, offset := range offsets {
			if loadWord(g+offset) == id && isInStartedHere(loadWord(g+offset+8)) {
				matching = append(matching, offset)
			}
		}
		found <- matching
	}()
	return <-found
}

// isInStartedHere reports whether the address, which may be any word, lies in startedHere.
func isInStartedHere(pc uintptr) bool {
	f := runtime.FuncForPC(pc)
	return f != nil && strings.HasSuffix(f.Name(), ".startedHere")
}

var panicMarker struct{ _ int }

// probePanic verifies panicOffset and determines argOffset.
func probePanic() bool {
	_, _, before := state()
	defer func() {
		_, _, during := state()
		isThere := before == 0 && during != 0
		for _, argOffset = range []uintptr{8, 16} {
			if isThere && panicArgument()[1] == uintptr(unsafe.Pointer(&panicMarker)) {
				break
			}
			argOffset = 0
		}
		recover()
	}()
	panic(&panicMarker)
}
