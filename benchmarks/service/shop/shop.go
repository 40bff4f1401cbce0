// Package shop prices orders against a store in memory.
package shop

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// An Order is what a user wants.
type Order struct {
	User  string `json:"user"`
	Code  string `json:"code"`
	Items []Item `json:"items"`
}

// An Item is a product and how many of it.
type Item struct {
	Product string `json:"product"`
	Count   int    `json:"count"`
}

// A Receipt is what an order costs.
type Receipt struct {
	Number int64  `json:"number"`
	User   string `json:"user"`
	Lines  []Line `json:"lines"`
	Total  int64  `json:"total_cents"`
	Tax    int64  `json:"tax_cents"`
}

// A Line is an item with its price.
type Line struct {
	Item
	Name  string `json:"name"`
	Price int64  `json:"price_cents"`
}

var errEmpty = errors.New("the order is empty")

// Validate checks what the order alone can have wrong.
func (o *Order) Validate() error {
	if len(o.Items) == 0 {
		return errEmpty
	}
	for i := range o.Items {
		if err := o.Items[i].validate(); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

func (i *Item) validate() error {
	if !strings.HasPrefix(i.Product, "p") || i.Count < 1 || i.Count > 100 {
		return fmt.Errorf("bad product or count: %s, %d", i.Product, i.Count)
	}
	return nil
}

type product struct {
	name  string
	cents int64
	stock int
}

// A Store has the products.
type Store struct {
	mu       sync.RWMutex
	products map[string]*product
	orders   int64
}

// NewStore returns a store with that number of products.
func NewStore(n int) *Store {
	s := &Store{products: map[string]*product{}}
	for i := 0; i < n; i++ {
		s.products["p"+strconv.Itoa(i)] = &product{name: "product " + strconv.Itoa(i), cents: int64(100 + i), stock: 1 << 40}
	}
	return s
}

// Place prices an order and takes its items from the stock.
func (s *Store) Place(o *Order) (*Receipt, error) {
	r := &Receipt{User: o.User, Lines: make([]Line, 0, len(o.Items))}
	for i := range o.Items {
		line, err := s.price(&o.Items[i])
		if err != nil {
			return nil, err
		}
		r.Lines = append(r.Lines, line)
		r.Total += discounted(line.Price, o.Code)
	}
	r.Tax = tax(r.Total)
	if err := s.take(o.Items); err != nil {
		return nil, err
	}
	r.Number = s.nextNumber()
	return r, nil
}

func (s *Store) find(name string) (*product, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.products[name]
	if p == nil {
		return nil, errors.New("no product " + name)
	}
	return p, nil
}

func (s *Store) price(i *Item) (Line, error) {
	p, err := s.find(i.Product)
	if err != nil {
		return Line{}, err
	}
	return Line{*i, p.name, p.cents * int64(i.Count)}, nil
}

func discounted(cents int64, code string) int64 {
	switch {
	case strings.HasPrefix(code, "HALF"):
		return cents / 2
	case strings.HasPrefix(code, "TENTH"):
		return cents - cents/10
	}
	return cents
}

func tax(cents int64) int64 { return cents * 19 / 119 }

func (s *Store) take(items []Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range items {
		if err := s.takeOne(&items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) takeOne(i *Item) error {
	p := s.products[i.Product]
	if p.stock < i.Count {
		return fmt.Errorf("%s is sold out", i.Product)
	}
	p.stock -= i.Count
	return nil
}

func (s *Store) nextNumber() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders++
	return s.orders
}
