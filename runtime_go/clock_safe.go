//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

import "time"

var counter bool

func hasCounter() bool { return false }

func ticks() uint64 { return uint64(time.Since(startTime)) }

func recordEntry() *track { return nil }

func recordExit(*track) bool { return false }

// state cannot tell whether there is a panic, so it says that there may be one.
func state() (gp uintptr, now uint64, panicking uintptr) { return 0, 0, 1 }

func panicText() string { return "" }
