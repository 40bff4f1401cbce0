package api

import (
	"errors"
	"fmt"
	"io"

	"example.com/faults/shop/faults"
	"example.com/faults/shop/payments"
	"example.com/faults/shop/pricing"
	"example.com/faults/shop/store"
)

// place sells items: reserve, charge, save, ship, and a receipt that nobody waits for.
func (s *Server) place(id, count int, card string) (store.Order, error) {
	item, err := s.store.Get(id)
	if err != nil {
		return store.Order{}, err
	}
	if err := s.store.Reserve(id, count); err != nil {
		return store.Order{}, err
	}
	cents := pricing.Total(item, count)
	if err := payments.Charge(card, cents); err != nil {
		return store.Order{}, fmt.Errorf("order of item %d: %w", id, err)
	}
	order := s.store.Save(store.Order{Item: item, Count: count, Cents: cents, State: "paid"})
	go sendReceipt(address(order))
	summarize(order)
	return order, s.pool.Ship(order)
}

func (s *Server) giveBack(id int, card string) (store.Order, error) {
	order, err := s.store.Find(id)
	if err != nil {
		return order, err
	}
	return order, payments.Refund(card, order.Cents)
}

// address looks up where a receipt goes, and answers on a channel.
func address(order store.Order) <-chan string {
	found := make(chan string, 1)
	if !faults.Leak.Hits() {
		found <- fmt.Sprintf("customer-%d@example.com", order.ID)
	}
	return found
}

func sendReceipt(to <-chan string) error {
	return deliver(<-to, "your receipt")
}

func deliver(to, text string) error {
	if to == "" {
		return errors.New("a receipt without an address")
	}
	_, err := fmt.Fprintln(io.Discard, to, text)
	return err
}

// summarize divides by the number of items of an order.
func summarize(order store.Order) string {
	count := order.Count
	if faults.Panic.Hits() {
		count = 0
	}
	return fmt.Sprintf("%d cents each", each(order.Cents, count))
}

func each(cents, count int) int { return cents / count }

const pageSize = 100

// history collects pages of orders; the fault is that it never finds the last one.
func (s *Server) history(pages int) int {
	var all [][]store.Order
	for page := 0; page < pages || faults.Grow.Hits(); page++ {
		all = append(all, s.collect(page))
	}
	return len(all)
}

func (s *Server) collect(page int) []store.Order {
	found := s.store.Page(page%10, pageSize)
	return append(make([]store.Order, 0, 10*pageSize), found...)
}
