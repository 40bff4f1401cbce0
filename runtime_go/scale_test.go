//go:build trace && !race && !functrace_safe

package functrace_test

const (
	shortGoroutines = 10_000_000
	liveGoroutines  = 100_000
	mixedRounds     = 6000
	deepest         = 100_000
	tornRounds      = 20_000
	busyRounds      = 4_000_000
)
