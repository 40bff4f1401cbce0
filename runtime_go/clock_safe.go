//go:build trace && go1.21 && (functrace_safe || !(amd64 || arm64))

package functrace

// Replacements for the assembly: the system's clock, and no fast path.

import "time"

var counter bool

func hasCounter() bool { return false }

func ticks() uint64 { return uint64(time.Since(startTime)) }

//lint:ignore U1000 only assembly needs the time as an argument
var usesSystemTicks bool

func systemTicks() uint64 { return 0 }

func recordEntry(uint64) *track { return nil }

func recordExit(*track, uint64) bool { return false }

func panicValue() any { return nil }
