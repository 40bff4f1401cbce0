// Package requests measures what tools add to a request, on a server and on a client, over connections in memory.
package requests

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

const (
	request = "GET /items/17 HTTP/1.1\r\nHost: shop\r\n" +
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n"
	response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
)

func BenchmarkServer(b *testing.B) { serve(b, http.HandlerFunc(answer)) }

func BenchmarkServerOpenTelemetry(b *testing.B) {
	useOpenTelemetry()
	serve(b, otelhttp.NewHandler(http.HandlerFunc(answer), "items"))
}

func BenchmarkClient(b *testing.B) { send(b, transport()) }

func BenchmarkClientOpenTelemetry(b *testing.B) {
	useOpenTelemetry()
	send(b, otelhttp.NewTransport(transport()))
}

func answer(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header["Date"], header["Content-Type"] = nil, nil
	header["Content-Length"] = []string{"2"}
	io.WriteString(w, "ok")
}

// serve lets a server answer requests.
func serve(b *testing.B, handler http.Handler) {
	near, far := net.Pipe()
	go http.Serve(&oneConnection{far}, handler)
	reader := bufio.NewReader(near)
	measure(b, func() error {
		io.WriteString(near, request)
		for line := " "; line != "\r\n"; {
			var err error
			if line, err = reader.ReadString('\n'); err != nil {
				return err
			}
		}
		_, err := reader.Discard(len("ok"))
		return err
	})
}

// send lets a client send requests.
func send(b *testing.B, transport http.RoundTripper) {
	r, err := http.NewRequestWithContext(context.Background(), "GET", "http://shop/items/17", nil)
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() error {
		response, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, response.Body)
		return response.Body.Close()
	})
}

// transport returns one whose connections answer everything.
func transport() *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			reader := bufio.NewReader(far)
			for {
				line, err := reader.ReadString('\n')
				if err != nil {
					return
				}
				if line == "\r\n" {
					io.WriteString(far, response)
				}
			}
		}()
		return near, nil
	}}
}

// useOpenTelemetry lets OpenTelemetry sample every span, and drop it when it has ended.
func useOpenTelemetry() {
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(dropped{})))
	otel.SetTextMapPropagator(propagation.TraceContext{})
}

type dropped struct{}

func (dropped) OnStart(context.Context, trace.ReadWriteSpan) {}
func (dropped) OnEnd(trace.ReadOnlySpan)                     {}
func (dropped) Shutdown(context.Context) error               { return nil }
func (dropped) ForceFlush(context.Context) error             { return nil }

// A oneConnection listens and accepts once.
type oneConnection struct{ connection net.Conn }

func (l *oneConnection) Accept() (net.Conn, error) {
	if connection := l.connection; connection != nil {
		l.connection = nil
		return connection, nil
	}
	select {}
}

func (l *oneConnection) Close() error   { return nil }
func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }
