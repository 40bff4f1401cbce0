package requests

import (
	"syscall"
	"testing"
)

// measure serves requests and reports CPU time a request: other programs change it less than the time that passes.
func measure(b *testing.B, serve func() error) {
	b.ReportAllocs()
	if err := serve(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	began := processorTime()
	for i := 0; i < b.N; i++ {
		if err := serve(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime()-began)/float64(b.N), "cpu-ns/op")
}

// processorTime returns nanoseconds of this process.
func processorTime() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}
