package send

import (
	"sync"

	"functrace/otlp/internal/spans"
)

// The queue is bounded, so that an unreachable collector costs bounded memory.
const maxQueued = 32

// A queue passes batches from the pipeline to the sender.
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond
	batches  []spans.Batch
	isClosed bool
}

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

// push adds a batch; it returns how many spans of the oldest batch were dropped for it.
func (q *queue) push(batch spans.Batch) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) == maxQueued {
		dropped = q.batches[0].Spans
		q.removeOldest()
	}
	q.batches = append(q.batches, batch)
	q.changed.Broadcast()
	return dropped
}

// awaitRoom waits until the queue has room for a batch.
func (q *queue) awaitRoom() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.batches) == maxQueued && !q.isClosed {
		q.changed.Wait()
	}
}

// pop waits for a batch; false if the queue is closed and empty.
func (q *queue) pop() (spans.Batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.batches) == 0 && !q.isClosed {
		q.changed.Wait()
	}
	if len(q.batches) == 0 {
		return spans.Batch{}, false
	}
	batch := q.batches[0]
	q.removeOldest()
	q.changed.Broadcast()
	return batch, true
}

func (q *queue) removeOldest() {
	q.batches[0] = spans.Batch{}
	q.batches = append(q.batches[:0], q.batches[1:]...)
}

// close ends the queue: pop returns the remaining batches, then false.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.isClosed = true
	q.changed.Broadcast()
}
