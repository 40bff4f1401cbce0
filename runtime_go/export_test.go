//go:build trace

package functrace

// IsAllocationFree is set if a call allocates nothing.
func IsAllocationFree() bool { return fast }

// IsFast reports whether the fast probe is in use.
func IsFast() bool { return fast }

// GoroutineID is that of the caller.
func GoroutineID() uint64 { return goroutineID() }

// UseFallback selects the public interfaces, as if the fast probe disagreed with them.
func UseFallback() { distrust() }

// Demote demotes the function of that name, once it has been called.
func Demote(name string) { change(name, (*usage).next) }

// Promote undoes that.
func Promote(name string) { change(name, func(*usage) demotion { return promoted }) }

// DemoteRequests tries to demote all functions that stand for requests.
func DemoteRequests() {
	disableRaceDetector()
	defer enableRaceDetector()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for i := range rec.budget.functions {
		if u := &rec.budget.functions[i]; u.function != nil && u.function.request.direction != 0 {
			rec.budget.changeAll(i, silenced, 0, 0, 7)
		}
	}
}

// IsDemoted reports whether it is demoted.
func IsDemoted(name string) (is bool) {
	each(name, func(_ int, u *usage) { is = u.level != promoted })
	return is
}

func change(name string, to func(*usage) demotion) {
	each(name, func(i int, u *usage) { rec.budget.changeAll(i, to(u), 0, 0, 7) })
}

func each(name string, f func(number int, u *usage)) {
	disableRaceDetector()
	defer enableRaceDetector()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for i := range rec.budget.functions {
		u := &rec.budget.functions[i]
		if u.function != nil && u.function.name == ownPackage[:len(ownPackage)-1]+"_test."+name {
			f(i, u)
		}
	}
}
