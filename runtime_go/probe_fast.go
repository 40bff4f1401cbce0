//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// fast says that state and callSite agree with the public interfaces of the Go runtime.
var fast bool

// goidOffset is where in g the goroutine's id stands. It differs between Go
// versions, so it is found at start.
var goidOffset uintptr

// state returns the address of g, and the words at goidOffset and at panicOffset in it.
func state() (gp uintptr, id uint64, panicking uintptr)

// callSite is a fast callSiteByCallers. Neither its caller nor that one's may be inlined.
func callSite() uintptr

// initProbe finds the offset of the id and checks everything that state and callSite tell
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
		if _, id, _ := state(); id == want {
			found = append(found, goidOffset)
		}
	}
	return found
}

// tellsCaller tries callSite from a function, a method, a closure, and behind a
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
	return agreesInside()
}

// agreesInside stands in for enterCaller.
//
//go:noinline
func agreesInside() bool { return callSite() == callSiteByCallers() }
