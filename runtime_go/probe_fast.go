//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

import "runtime"

// fast says that frame agrees with the public interfaces of the Go runtime.
var fast bool

// goidOffset is where in g the goroutine's id stands. It differs between Go
// versions, so it is found at start.
var goidOffset uintptr

// frame returns the address of g, the word at goidOffset in it, the address that the function
// calling frame returns to, and the counter if it is the clock. That function must not be inlined.
func frame() (gp uintptr, id uint64, pc uintptr, now uint64)

// initProbe finds the offset of the id and checks everything that frame tells
// against runtime.Stack and runtime.Callers, here and on other goroutines.
func initProbe() {
	const probed = 40 // words; g is larger in every Go version
	offsets := make([]uintptr, probed)
	for i := range offsets {
		offsets[i] = uintptr(i) * 8
	}
	offsets = elsewhere(func() []uintptr { return matching(matching(offsets)) })
	for i := 0; i < 3; i++ {
		offsets = elsewhere(func() []uintptr { return matching(offsets) })
	}
	offsets = matching(offsets)
	if len(offsets) != 1 {
		return
	}
	goidOffset = offsets[0]
	there := elsewhere(func() bool { return tellsCaller() })
	fast = there && tellsCaller()
	if fast {
		probeParent()
		elsewhere(probePanic)
	}
}

// elsewhere returns what f returns on a goroutine of its own, which has ended by
// then: nothing of ours runs once the program does.
func elsewhere[T any](f func() T) T {
	result := make(chan T)
	go func() { result <- f() }()
	return <-result
}

// matching returns those of the offsets at which this goroutine's id stands.
func matching(offsets []uintptr) []uintptr {
	want := goroutineID()
	var found []uintptr
	for _, goidOffset = range offsets {
		if _, id, _, _ := frame(); id == want {
			found = append(found, goidOffset)
		}
	}
	return found
}

// tellsCaller tries frame from a function, a method, a closure, and behind a
// stack that had to grow.
func tellsCaller() bool {
	closure := func() bool { return agrees() }
	return fromFunction() && prober{}.fromMethod() && closure() && fromDepth(500)
}

//go:noinline
func fromFunction() bool { return agrees() }

type prober struct{}

//go:noinline
func (prober) fromMethod() bool { return agrees() }

//go:noinline
func fromDepth(n int) bool {
	var pad [64]byte
	if n > 0 {
		return fromDepth(n-1) && pad[n%len(pad)] == 0
	}
	return agrees()
}

// agrees stands in for Trace.
//
//go:noinline
func agrees() bool {
	_, _, pc, _ := frame()
	var pcs [1]uintptr
	runtime.Callers(2, pcs[:])
	return pc == pcs[0]
}
