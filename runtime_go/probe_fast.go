//go:build trace && go1.21 && !functrace_safe && (amd64 || arm64)

package functrace

// Fast access to goroutine ids and call sites, verified at start.

// fast is set if state and callSite agree with the public interfaces of the Go runtime.
var fast bool

// goidOffset is the offset of the goroutine id in g. It differs between Go versions, so it is
// determined at start.
var goidOffset uintptr

// state returns the address of g, and the words at goidOffset and at panicOffset in it.
func state() (gp uintptr, id uint64, panicking uintptr)

// callSite is a fast version of callSiteByCallers. Neither its caller nor the caller of that may
// be inlined.
func callSite() uintptr

// findsPanics reports whether state detects panics.
func findsPanics() bool { return fast && argOffset != 0 }

// initProbe determines goidOffset and verifies state and callSite against runtime.Stack and
// runtime.Callers, on this goroutine and on others.
func initProbe() {
	const probed = 40 // words; g is larger in every Go version
	offsets := make([]uintptr, probed)
	for i := range offsets {
		offsets[i] = uintptr(i) * 8
	}
	offsets = onNewGoroutine(func() []uintptr { return offsetsOfID(offsetsOfID(offsets)) })
	for i := 0; i < 3; i++ {
		offsets = onNewGoroutine(func() []uintptr { return offsetsOfID(offsets) })
	}
	offsets = offsetsOfID(offsets)
	if len(offsets) != 1 {
		return
	}
	goidOffset = offsets[0]
	there := onNewGoroutine(func() bool { return findsCallSite() })
	fast = there && findsCallSite() && findsThread() && onNewGoroutine(findsThread)
	if fast {
		probeParent()
		onNewGoroutine(probePanic)
	}
}

// findsThread reports whether mOffset is the offset of m in g. The first field of m is the thread's own
// g, which has the same m.
func findsThread() bool {
	const fieldsBefore = 6
	mOffset = fieldsBefore * wordSize
	g, _, _ := state()
	m := thread()
	if !isPointer(m, wordSize) {
		return false
	}
	g0 := load[uintptr](m)
	return g0 != g && isPointer(g0, mOffset+wordSize) && load[uintptr](g0+mOffset) == m
}

// isPointer reports whether the word may be a pointer to that many bytes, as far as the system can be
// asked.
func isPointer(word, size uintptr) bool {
	return word >= minPageSize && word%wordSize == 0 && (!checksPages || isReadable(word, size))
}

// onNewGoroutine returns the result of f on a new goroutine, which has then ended: no goroutine
// of functrace remains when the program runs.
func onNewGoroutine[T any](f func() T) T {
	result := make(chan T)
	go func() { result <- f() }()
	return <-result
}

// offsetsOfID returns those of the offsets at which g contains the id of this goroutine.
func offsetsOfID(offsets []uintptr) []uintptr {
	want := goroutineID()
	var found []uintptr
	for _, goidOffset = range offsets {
		if _, id, _ := state(); id == want {
			found = append(found, goidOffset)
		}
	}
	return found
}

// findsCallSite checks callSite in a function, a method, a closure, and after the stack has
// grown.
func findsCallSite() bool {
	closure := func() bool { return probeCallSite() }
	return fromFunction() && prober{}.fromMethod() && closure() && fromDepth(500)
}

//go:noinline
func fromFunction() bool { return probeCallSite() }

type prober struct{}

//go:noinline
func (prober) fromMethod() bool { return probeCallSite() }

//go:noinline
func fromDepth(n int) bool {
	var pad [64]byte
	if n > 0 {
		return fromDepth(n-1) && pad[n%len(pad)] == 0
	}
	return probeCallSite()
}

// probeCallSite stands in for Trace.
//
//go:noinline
func probeCallSite() bool {
	return probeCallSiteInside()
}

// probeCallSiteInside stands in for enterCaller.
//
//go:noinline
func probeCallSiteInside() bool { return callSite() == callSiteByCallers() }
