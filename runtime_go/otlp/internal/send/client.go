// Package send sends spans to a collector that may be slow, full, restarting or unreachable.
package send

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr/funcr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"
)

// A Client is OpenTelemetry's client, with the address that it sends to for messages.
type Client struct {
	otlptrace.Client
	address string
}

// Connect returns a client configured by the OTEL_EXPORTER_OTLP variables. An error names the invalid
// variable.
func Connect(variable func(name string) string) (*Client, error) {
	protocol := either(variable, "PROTOCOL").value
	if protocol == "" {
		protocol = protocolHTTP
	}
	if protocol != protocolHTTP && protocol != protocolGRPC {
		return nil, fmt.Errorf("unknown OTLP protocol %s: use %s or %s", protocol, protocolHTTP, protocolGRPC)
	}
	endpoint := either(variable, "ENDPOINT")
	if at, err := url.Parse(endpoint.value); endpoint.value != "" &&
		(err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "") {
		return nil, fmt.Errorf("%s=%s: must be a URL such as http://localhost:4318", endpoint.name, endpoint.value)
	}
	return connect(protocol, endpoint.value, endpoint.isForTraces)
}

// connect lets OpenTelemetry's client read the variables, and returns what it logs as an error.
func connect(protocol, endpoint string, isFullURL bool) (*Client, error) {
	logged := ""
	otel.SetLogger(funcr.New(func(_, text string) { logged = text }, funcr.Options{}))
	client := &Client{address: endpoint}
	if protocol == protocolGRPC {
		options := []otlptracegrpc.Option{otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig(retry))}
		if endpoint == "" {
			client.address = "http://localhost:4317"
			options = append(options, otlptracegrpc.WithInsecure())
		}
		client.Client = otlptracegrpc.NewClient(options...)
	} else {
		options := []otlptracehttp.Option{otlptracehttp.WithRetry(otlptracehttp.RetryConfig(retry))}
		if endpoint == "" {
			client.address = "http://localhost:4318"
			options = append(options, otlptracehttp.WithInsecure())
		}
		if !isFullURL {
			client.address = strings.TrimRight(client.address, "/") + "/v1/traces"
		}
		client.Client = otlptracehttp.NewClient(options...)
	}
	err := client.Start(context.Background())
	if logged != "" {
		err = errors.New(logged)
	}
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP variables: %w", err)
	}
	return client, nil
}

// The client retries within OTEL_EXPORTER_OTLP_TIMEOUT; after that, Sender repeats the request.
var retry = struct {
	Enabled         bool
	InitialInterval time.Duration
	MaxInterval     time.Duration
	MaxElapsedTime  time.Duration
}{Enabled: true, InitialInterval: time.Second / 2, MaxInterval: 5 * time.Second}

type setting struct {
	name, value string
	isForTraces bool
}

// either returns the variable for traces, which overrides the one for all signals.
func either(variable func(name string) string, name string) setting {
	full := "OTEL_EXPORTER_OTLP_TRACES_" + name
	if value := variable(full); value != "" {
		return setting{full, value, true}
	}
	full = "OTEL_EXPORTER_OTLP_" + name
	return setting{full, variable(full), false}
}

// isRetryable reports whether the same request may succeed later. For gRPC, the OTLP specification
// lists the codes. OpenTelemetry's HTTP client reports an answer that is not retryable as "failed to
// send to".
func isRetryable(err error) bool {
	answer, isGRPC := status.FromError(err)
	if !isGRPC {
		return !strings.HasPrefix(err.Error(), "failed to send to ")
	}
	switch answer.Code() {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange,
		codes.Unavailable, codes.DataLoss:
		return true
	case codes.ResourceExhausted:
		return hasRetryInfo(answer)
	}
	return false
}

// hasRetryInfo reports whether the collector expects to recover.
func hasRetryInfo(answer *status.Status) bool {
	for _, detail := range answer.Details() {
		if _, isRetryInfo := detail.(*errdetails.RetryInfo); isRetryInfo {
			return true
		}
	}
	return false
}

// reason returns the message of the collector or the system, without the texts wrapped around it.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	if answer, isGRPC := status.FromError(err); isGRPC {
		return oneLine(answer.Code().String() + ": " + answer.Message())
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		return oneLine(failed.Err.Error())
	}
	text := err.Error()
	if _, after, isFound := strings.Cut(text, "failed to send to "); isFound {
		_, text, _ = strings.Cut(after, ": ")
	}
	text = strings.TrimPrefix(text, context.Canceled.Error()+": ")
	text = strings.TrimPrefix(text, context.DeadlineExceeded.Error()+": ")
	return oneLine(text)
}

func oneLine(text string) string {
	const maxBytes = 500
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxBytes {
		text = strings.ToValidUTF8(text[:maxBytes], "")
	}
	return text
}
