//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import (
	"runtime"
	"strings"
	"unsafe"
)

var (
	// parentOffset is where in g the id of the goroutine stands that has started it; the
	// address of the go statement follows. It is 0 if that is not known.
	parentOffset uintptr
	// panicOffset is where in g the innermost panic stands: behind the bounds and guards of
	// the stack. Wherever else, the word is never 0 and every exit looks unusual.
	//lint:ignore U1000 assembly reads it
	panicOffset uintptr = 4 * 8
	// argOffset is where in a panic the second word of its argument stands.
	argOffset uintptr
)

// origin returns the goroutine that started this one, the function whose go statement did
// so, and the statement's line; zeros for what is not known.
//
//go:norace
func (t *track) origin() (parent, starter uint64, line int) {
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

// probeParent finds parentOffset: where goroutines that are started here, and from another
// one, have the ids of these two.
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

// startedHere returns those of the offsets at which a new goroutine has this one's id, and
// behind that an address in this function.
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

// isStarter reports whether the address, of whatever it is, lies in startedHere.
func isInStartedHere(pc uintptr) bool {
	f := runtime.FuncForPC(pc)
	return f != nil && strings.HasSuffix(f.Name(), ".startedHere")
}

var panicMarker struct{ _ int }

// probePanic looks whether panicOffset is right, and finds argOffset.
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
