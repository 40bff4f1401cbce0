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

// Of the semantic conventions: the first in which code.function.name and its like are stable.
const schema = "https://opentelemetry.io/schemas/1.33.0"

// Between two attempts to reach a collector.
const (
	shortestPause = time.Second / 4
	longestPause  = 5 * time.Second
)

// A Sender sends batches one after the other, each until it is taken or refused for good.
type Sender struct {
	client   *Client
	describe func() *resource.Resource
	resource *resource.Resource // from the first batch on
	queue    *queue
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	tally   Tally
	failure string      // of the last attempt
	partly  uint64      // spans of the request under way that were refused
	isLast  bool        // the program has ended
	ending  *time.Timer // until the collector is given up, if it takes nothing more
	wait    time.Duration
}

// New starts to send. With the first batch it is asked what the spans are of.
func New(client *Client, describe func() *resource.Resource) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{
		client:   client,
		describe: describe,
		queue:    newQueue(),
		cancel:   cancel,
		done:     make(chan struct{}),
		tally:    Tally{where: client.where},
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(s.notePartly))
	go s.run(ctx)
	return s
}

// Send has a batch sent. While the program runs it never waits: what is too much is dropped, the
// oldest first.
func (s *Sender) Send(batch spans.Batch) {
	if s.resource == nil {
		s.resource = s.describe()
	}
	s.mu.Lock()
	isLast := s.isLast
	s.mu.Unlock()
	if isLast {
		s.queue.awaitRoom()
	}
	if dropped := s.queue.push(batch); dropped > 0 {
		s.noteDropped(dropped)
	}
}

// Last tells that the program has ended: nothing presses any more. A collector that takes nothing
// for so long is given up.
func (s *Sender) Last(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isLast, s.wait = true, wait
	s.ending = time.AfterFunc(wait, s.cancel)
}

// Close returns what became of all spans, when that is known.
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
		batch, isMore := s.queue.pop()
		if !isMore {
			return
		}
		s.deliver(ctx, batch)
	}
}

// deliver sends a batch until it is taken or refused, or nobody waits for that any more.
func (s *Sender) deliver(ctx context.Context, batch spans.Batch) {
	defer func() {
		if recover() != nil { // the client's mistake is not for the program's terminal
			s.noteDropped(batch.Spans)
		}
	}()
	message := s.message(batch)
	for pause := shortestPause; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		err := s.client.UploadTraces(ctx, message)
		if err == nil {
			s.noteTaken(batch.Spans)
			return
		}
		s.noteFailed(err)
		if isFinal(err) {
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

// message returns the spans as the client takes them. They are encoded already: fields of a message
// that its type does not know are sent as they are.
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

func (s *Sender) noteTaken(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := min(s.partly, uint64(count))
	s.tally.Refused += refused
	s.tally.Sent += uint64(count) - refused
	s.partly, s.failure = 0, ""
	s.goOn()
}

// noteDropped remembers what stood in the way, if it is not that there was too much.
func (s *Sender) noteDropped(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Dropped += uint64(count)
	if s.failure != "" {
		s.tally.obstacle = s.failure
	}
}

// goOn gives a collector that has answered its time again.
func (s *Sender) goOn() {
	if s.ending != nil && s.ending.Stop() {
		s.ending.Reset(s.wait)
	}
}

func (s *Sender) noteRefused(count int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.Refused += uint64(count)
	if s.tally.refusal == "" {
		s.tally.refusal = why
	}
	s.goOn()
}

func (s *Sender) noteFailed(err error) {
	if why := reason(err); why != context.Canceled.Error() {
		s.mu.Lock()
		s.failure = why
		s.mu.Unlock()
	}
}

// notePartly is told by the client that the collector refused some spans of a request that it
// took. The error's type is not to be had, but its fields are.
func (s *Sender) notePartly(err error) {
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
	s.partly = uint64(rejected.Int())
	if s.tally.refusal == "" && message.IsValid() {
		s.tally.refusal = oneLine(message.String())
	}
}
