//go:build trace && (race || functrace_safe)

package functrace_test

const (
	shortGoroutines = 200_000
	liveGoroutines  = 5_000
	mixedRounds     = 5000
	deepest         = 5_000
	tornRounds      = 5_000
	busyRounds      = 50_000
)
