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
func Demote(name string) { changeTo(name, demoted) }

// Silence demotes it without recording its failures.
func Silence(name string) { changeTo(name, silenced) }

// Promote undoes that.
func Promote(name string) { changeTo(name, promoted) }

func changeTo(name string, to demotion) {
	disableRaceDetector()
	defer enableRaceDetector()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for i, u := range rec.budget.functions {
		if u.function != nil && u.function.name == ownPackage[:len(ownPackage)-1]+"_test."+name {
			rec.budget.changeAll(i, to, 0, 0, 7)
		}
	}
}
