//go:build trace

package functrace

// AllocatesNothing tells the tests outside the package whether a call does.
func AllocatesNothing() bool { return fast && !raceDetector }
