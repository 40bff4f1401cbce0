// Package benchmarks holds what benchmarks/run.py measures of the Go runtime: the
// cost of one traced call, entry and exit, with an empty body.
package benchmarks

import (
	"testing"
	"time"

	"functrace"
)

//go:noinline
func plain() {}

//go:noinline
func traced() { defer functrace.Trace()() }

//go:noinline
func tracedByPublicCalls() { defer publicTrace()() }

func BenchmarkPlain(b *testing.B) { each(b, plain) }

func BenchmarkTraced(b *testing.B) { each(b, traced) }

func BenchmarkPublicCalls(b *testing.B) { each(b, tracedByPublicCalls) }

// each runs f on as many goroutines as -cpu says.
func each(b *testing.B, f func()) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			f()
		}
	})
}

//go:noinline
func watched() (err error) {
	defer functrace.Exit(functrace.Enter(), &err)
	return nil
}

func BenchmarkWatched(b *testing.B) { each(b, func() { watched() }) }

func BenchmarkClock(b *testing.B) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		readCounter()
		readCounter()
	}
}

// BenchmarkSystemClock reads the clock that takes the counter's place where that will not do.
func BenchmarkSystemClock(b *testing.B) {
	b.ReportAllocs()
	begin := time.Now()
	for i := 0; i < b.N; i++ {
		time.Since(begin)
		time.Since(begin)
	}
}
