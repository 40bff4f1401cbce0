// Package store keeps items and orders in memory.
package store

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// ErrSoldOut is the error of a reservation that exceeds the stock.
var ErrSoldOut = errors.New("sold out")

const (
	itemCount = 500
	maxOrders = 1_000_000
)

// Item is an article of the shop.
type Item struct {
	ID    int
	Name  string
	Cents int
	Stock int
}

// Order is a number of items that somebody bought.
type Order struct {
	ID    int
	Item  Item
	Count int
	Cents int
	State string
}

// Store is safe for concurrent use.
type Store struct {
	mu     sync.RWMutex
	items  []Item
	orders map[int]Order
	next   int
}

// New returns a store with items, each fiftieth of which is sold out.
func New() *Store {
	store := &Store{orders: make(map[int]Order)}
	for id := 0; id < itemCount; id++ {
		item := Item{ID: id, Name: fmt.Sprintf("lamp %d", id), Cents: 900 + 37*id, Stock: 1 << 40}
		if id%50 == 49 {
			item.Stock = 0
		}
		store.items = append(store.items, item)
	}
	return store
}

// Get returns an item.
func (s *Store) Get(id int) (Item, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if id < 0 || id >= len(s.items) {
		return Item{}, fmt.Errorf("no item %d", id)
	}
	return s.items[id], nil
}

// Search returns the items whose name contains a text, cheapest first.
func (s *Store) Search(text string) []Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Item
	for _, item := range s.items {
		if matches(item, text) {
			found = append(found, item)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Cents < found[j].Cents })
	return found
}

func matches(item Item, text string) bool {
	return strings.Contains(item.Name, text)
}

// Reserve takes items out of the stock.
func (s *Store) Reserve(id, count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items[id].Stock < count {
		return fmt.Errorf("reserve item %d: %w", id, ErrSoldOut)
	}
	s.items[id].Stock -= count
	return nil
}

// Save stores an order and returns it with its number; the oldest orders are forgotten.
func (s *Store) Save(order Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	order.ID = s.next
	s.orders[order.ID] = order
	delete(s.orders, order.ID-maxOrders)
	return order
}

// Find returns an order.
func (s *Store) Find(id int) (Order, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	order, ok := s.orders[id]
	if !ok {
		return Order{}, fmt.Errorf("no order %d", id)
	}
	return order, nil
}

// Page returns some of the latest orders.
func (s *Store) Page(number, size int) []Order {
	s.mu.RLock()
	defer s.mu.RUnlock()
	page := make([]Order, 0, size)
	for id := s.next - number*size; id > 0 && len(page) < size; id-- {
		page = append(page, s.orders[id])
	}
	return page
}
