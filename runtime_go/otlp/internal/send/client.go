// Package send sends spans to a collector that may be slow, full, restarting or gone.
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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	overHTTP = "http/protobuf"
	overGRPC = "grpc"
)

// A Client is OpenTelemetry's own, and where it sends to, for people.
type Client struct {
	otlptrace.Client
	where string
}

// Connect returns the client that the OTEL_EXPORTER_OTLP variables ask for; an error says which of
// them makes no sense.
func Connect(variable func(name string) string) (*Client, error) {
	protocol := either(variable, "PROTOCOL").value
	if protocol == "" {
		protocol = overHTTP
	}
	if protocol != overHTTP && protocol != overGRPC {
		return nil, fmt.Errorf("OTLP as %s: it can be %s or %s", protocol, overHTTP, overGRPC)
	}
	endpoint := either(variable, "ENDPOINT")
	if at, err := url.Parse(endpoint.value); endpoint.value != "" &&
		(err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "") {
		return nil, fmt.Errorf("%s=%s: no address such as http://localhost:4318", endpoint.name, endpoint.value)
	}
	return connect(protocol, endpoint.value, endpoint.isTraces)
}

// connect has the client read the variables. What it cannot make sense of it would log.
func connect(protocol, endpoint string, isFull bool) (*Client, error) {
	logged := ""
	otel.SetLogger(funcr.New(func(_, told string) { logged = told }, funcr.Options{}))
	client := &Client{where: endpoint}
	if protocol == overGRPC {
		options := []otlptracegrpc.Option{otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig(patient))}
		if endpoint == "" {
			client.where = "http://localhost:4317"
			options = append(options, otlptracegrpc.WithInsecure())
		}
		client.Client = otlptracegrpc.NewClient(options...)
	} else {
		options := []otlptracehttp.Option{otlptracehttp.WithRetry(otlptracehttp.RetryConfig(patient))}
		if endpoint == "" {
			client.where = "http://localhost:4318"
			options = append(options, otlptracehttp.WithInsecure())
		}
		if !isFull {
			client.where = strings.TrimRight(client.where, "/") + "/v1/traces"
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

// A collector that is busy is asked again for as long as the request is wanted.
var patient = struct {
	Enabled         bool
	InitialInterval time.Duration
	MaxInterval     time.Duration
	MaxElapsedTime  time.Duration
}{Enabled: true, InitialInterval: time.Second / 2, MaxInterval: 5 * time.Second}

type setting struct {
	name, value string
	isTraces    bool
}

// either returns the variable for traces, which goes before that for all signals.
func either(variable func(name string) string, name string) setting {
	full := "OTEL_EXPORTER_OTLP_TRACES_" + name
	if value := variable(full); value != "" {
		return setting{full, value, true}
	}
	full = "OTEL_EXPORTER_OTLP_" + name
	return setting{full, variable(full), false}
}

// isFinal reports whether the same request would not be taken later either.
func isFinal(err error) bool {
	if answer, isGRPC := status.FromError(err); isGRPC {
		switch answer.Code() {
		case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange,
			codes.Unavailable, codes.DataLoss, codes.Unknown:
			return false
		}
		return true
	}
	return strings.HasPrefix(err.Error(), "failed to send to ")
}

// reason returns what the collector or the system said, out of what has been wrapped around it.
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
	told := err.Error()
	if _, after, isFound := strings.Cut(told, "failed to send to "); isFound {
		_, told, _ = strings.Cut(after, ": ")
	}
	told = strings.TrimPrefix(told, context.Canceled.Error()+": ")
	told = strings.TrimPrefix(told, context.DeadlineExceeded.Error()+": ")
	return oneLine(told)
}

func oneLine(text string) string {
	const most = 500
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}
