package send

import (
	"context"
	"reflect"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"functrace/otlp/internal/spans"
)

// The first version of the semantic conventions in which the code attributes are stable.
const schema = "https://opentelemetry.io/schemas/1.33.0"

// Pauses between two attempts to reach a collector.
const (
	minPause = time.Second / 4
	maxPause = 5 * time.Second
)

// A Sender sends batches one after the other, each until it is accepted or refused.
type Sender struct {
	client   *Client
	describe func() *resource.Resource
	resource *resource.Resource // set with the first batch
	queue    *queue
	cancel   context.CancelFunc
	done     chan struct{}

	mu       sync.Mutex
	tally    Tally
	failure  string      // of the last attempt
	rejected uint64      // spans of the current request that were refused
	isEnding bool        // the program has ended
	deadline *time.Timer // gives up a collector that accepts nothing
	wait     time.Duration
}

// New starts a sender. It calls describe with the first batch.
func New(client *Client, describe func() *resource.Resource) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{
		client:   client,
		describe: describe,
		queue:    newQueue(),
		cancel:   cancel,
		done:     make(chan struct{}),
		tally:    Tally{address: client.address},
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(s.notePartialSuccess))
	go s.run(ctx)
	return s
}

// Send queues a batch. While the program runs it never blocks, and drops the oldest batch if the queue
// is full.
func (s *Sender) Send(batch spans.Batch) {
	if s.resource == nil {
		s.resource = s.describe()
	}
	s.mu.Lock()
	isEnding := s.isEnding
	s.mu.Unlock()
	if isEnding {
		s.queue.awaitRoom()
	}
	if dropped := s.queue.push(batch); dropped > 0 {
		s.noteDropped(dropped)
	}
}

// End notes that the program has ended. From then on Send blocks instead of dropping, until the
// collector has accepted nothing for the given time.
func (s *Sender) End(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isEnding, s.wait = true, wait
	s.deadline = time.AfterFunc(wait, s.cancel)
}

// Close sends the remaining batches and returns the tally.
func (s *Sender) Close() Tally {
	s.queue.close()
	<-s.done
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tally
}

func (s *Sender) run(ctx context.Context) {
	defer close(s.done)
	for {
		batch, isOpen := s.queue.pop()
		if !isOpen {
			return
		}
		s.deliver(ctx, batch)
	}
}

// deliver sends a batch until it is accepted, refused or given up.
func (s *Sender) deliver(ctx context.Context, batch spans.Batch) {
	defer func() {
		if recover() != nil { // a panic of the client must not be printed on the program's terminal
			s.noteDropped(batch.Spans)
		}
	}()
	message := s.message(batch)
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		err := s.client.UploadTraces(ctx, message)
		if err == nil {
			s.noteSent(batch.Spans)
			return
		}
		s.noteFailed(err)
		if !isRetryable(err) {
			s.noteRefused(batch.Spans, reason(err))
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	s.noteDropped(batch.Spans)
}

// message wraps the encoded spans for the client: unknown fields of a message are sent unchanged.
func (s *Sender) message(batch spans.Batch) []*trace.ResourceSpans {
	scope := &trace.ScopeSpans{
		Scope:     &common.InstrumentationScope{Name: "functrace", Version: spans.Version},
		SchemaUrl: schema,
	}
	scope.ProtoReflect().SetUnknown(batch.Bytes)
	return []*trace.ResourceSpans{{
		Resource:   s.resource,
		SchemaUrl:  schema,
		ScopeSpans: []*trace.ScopeSpans{scope},
	}}
}

func (s *Sender) noteSent(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := min(s.rejected, uint64(count))
	s.tally.Refused += refused
	s.tally.Sent += uint64(count) - refused
	s.rejected, s.failure = 0, ""
	s.extendDeadline()
}

func (s *Sender) noteDropped(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Dropped += uint64(count)
	if s.failure != "" {
		s.tally.lastFailed = s.failure
	}
}

// extendDeadline restarts the deadline of a collector that has answered.
func (s *Sender) extendDeadline() {
	if s.deadline != nil && s.deadline.Stop() {
		s.deadline.Reset(s.wait)
	}
}

func (s *Sender) noteRefused(count int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Refused += uint64(count)
	if s.tally.refusal == "" {
		s.tally.refusal = why
	}
	s.extendDeadline()
}

func (s *Sender) noteFailed(err error) {
	if why := reason(err); why != context.Canceled.Error() {
		s.mu.Lock()
		s.failure = why
		s.mu.Unlock()
	}
}

// notePartialSuccess handles the client's error for spans refused in an accepted request. The error's
// type is internal to the client, so its fields are read by reflection.
func (s *Sender) notePartialSuccess(err error) {
	value := reflect.ValueOf(err)
	if value.Kind() != reflect.Struct {
		return
	}
	rejected, message := value.FieldByName("RejectedItems"), value.FieldByName("ErrorMessage")
	if !rejected.IsValid() || !rejected.CanInt() || rejected.Int() <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = uint64(rejected.Int())
	if s.tally.refusal == "" && message.IsValid() {
		s.tally.refusal = oneLine(message.String())
	}
}
