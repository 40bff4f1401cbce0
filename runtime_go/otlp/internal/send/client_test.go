package send

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The codes of https://opentelemetry.io/docs/specs/otlp/#failures.
func TestRetryableGRPCCodes(t *testing.T) {
	retryable := map[codes.Code]bool{
		codes.Canceled: true, codes.DeadlineExceeded: true, codes.Aborted: true,
		codes.OutOfRange: true, codes.Unavailable: true, codes.DataLoss: true,
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		if err := status.Error(code, "no"); isRetryable(err) != retryable[code] {
			t.Errorf("isRetryable(%v) = %v", code, !retryable[code])
		}
	}
}

func TestResourceExhaustedIsRetryableWithRetryInfo(t *testing.T) {
	answer, err := status.New(codes.ResourceExhausted, "full").WithDetails(&errdetails.RetryInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if !isRetryable(answer.Err()) {
		t.Error("not retryable")
	}
	// The client's error when the delay exceeds the time for a request.
	if !isRetryable(fmt.Errorf("%w: %w", context.DeadlineExceeded, answer.Err())) {
		t.Error("not retryable after a timeout")
	}
}

func TestRetryableErrors(t *testing.T) {
	if !isRetryable(context.DeadlineExceeded) || !isRetryable(errors.New("connection refused")) {
		t.Error("a failed connection is not retryable")
	}
	if isRetryable(errors.New("failed to send to http://localhost:4318/v1/traces: 400 Bad Request")) {
		t.Error("400 is retryable")
	}
}
