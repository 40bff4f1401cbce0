// Package store holds the shop's items.
package store

import "fmt"

// Get returns the item with the given id.
func Get(id string) (string, error) {
	if err := check(id); err != nil {
		return "", err
	}
	return "item " + id, nil
}

func check(id string) error {
	if id == "13" {
		return fmt.Errorf("item %s is locked", id)
	}
	return nil
}
