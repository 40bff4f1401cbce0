// Package telemetry sets OpenTelemetry's SDK up, as its guide for net/http does.
package telemetry

import (
	"context"
	"log"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Start instruments the default client and returns a function that sends the remaining spans.
func Start() (stop func()) {
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	http.DefaultClient.Transport = otelhttp.NewTransport(http.DefaultTransport)
	return func() { provider.Shutdown(context.Background()) }
}

// Handler returns the default handlers with a span for each request.
func Handler(service string) http.Handler {
	return otelhttp.NewHandler(http.DefaultServeMux, service)
}
