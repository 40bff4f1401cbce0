package send

import (
	"sync"

	"functrace/otlp/internal/spans"
)

// Batches that wait are this many at most: so a collector that is gone costs bounded memory.
const mostWaiting = 32

// A queue of batches between who makes them and who sends them.
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond
	waiting  []spans.Batch
	isClosed bool
}

func newQueue() *queue {
	q := &queue{}
	q.changed.L = &q.mu
	return q
}

// push adds a batch; it returns how many spans of the oldest batch had to go for it.
func (q *queue) push(batch spans.Batch) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == mostWaiting {
		dropped = q.waiting[0].Spans
		q.remove()
	}
	q.waiting = append(q.waiting, batch)
	q.changed.Broadcast()
	return dropped
}

// awaitRoom returns when there is room for a batch.
func (q *queue) awaitRoom() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == mostWaiting && !q.isClosed {
		q.changed.Wait()
	}
}

// pop waits for a batch; false when there will be none.
func (q *queue) pop() (spans.Batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.isClosed {
		q.changed.Wait()
	}
	if len(q.waiting) == 0 {
		return spans.Batch{}, false
	}
	batch := q.waiting[0]
	q.remove()
	q.changed.Broadcast()
	return batch, true
}

func (q *queue) remove() {
	q.waiting[0] = spans.Batch{}
	q.waiting = append(q.waiting[:0], q.waiting[1:]...)
}

// close has pop return what is left, then nothing.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.isClosed = true
	q.changed.Broadcast()
}
