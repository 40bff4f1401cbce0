// Package otel measures what others record a call with: a span of OpenTelemetry, sampled, ended,
// and then dropped instead of exported.
package otel

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
)

func BenchmarkSpan(b *testing.B) {
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(dropped{}))
	tracer := provider.Tracer("benchmark")
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		_, span := tracer.Start(ctx, "call")
		span.End()
	}
}

type dropped struct{}

func (dropped) OnStart(context.Context, trace.ReadWriteSpan) {}
func (dropped) OnEnd(trace.ReadOnlySpan)                     {}
func (dropped) Shutdown(context.Context) error               { return nil }
func (dropped) ForceFlush(context.Context) error             { return nil }
