// Package workers does after an order what nobody should wait for.
package workers

import (
	"fmt"
	"time"

	"example.com/faults/shop/faults"
	"example.com/faults/shop/store"
)

const (
	size     = 32
	capacity = 1000
)

// Pool is a number of goroutines that ship orders.
type Pool struct {
	jobs chan store.Order
}

// Start starts the pool.
func Start() *Pool {
	pool := &Pool{jobs: make(chan store.Order, capacity)}
	for i := 0; i < size; i++ {
		go pool.work()
	}
	return pool
}

// Ship hands an order to the pool.
func (p *Pool) Ship(order store.Order) error {
	select {
	case p.jobs <- order:
		return nil
	default:
		return fmt.Errorf("order %d: the pool is busy", order.ID)
	}
}

func (p *Pool) work() {
	for order := range p.jobs {
		ship(order)
	}
}

func ship(order store.Order) error {
	if err := handOver(printLabel(order)); err != nil {
		return fmt.Errorf("ship order %d: %w", order.ID, err)
	}
	return nil
}

func printLabel(order store.Order) string {
	return fmt.Sprintf("order %d: %d × %s", order.ID, order.Count, order.Item.Name)
}

// handOver stands for a request to the carrier.
func handOver(label string) error {
	answer := make(chan error, 1)
	if !faults.Hang.Hits() {
		time.Sleep(time.Millisecond)
		answer <- nil
	}
	return receive(answer, label)
}

func receive(answer <-chan error, label string) error {
	if err := <-answer; err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}
