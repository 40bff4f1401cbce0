// Package payments charges cards through a gateway.
package payments

import (
	"fmt"
	"hash/fnv"
	"time"

	"example.com/faults/shop/faults"
)

// Charge takes money from a card.
func Charge(card string, cents int) error {
	if err := verify(card); err != nil {
		return fmt.Errorf("charge: %w", err)
	}
	if err := authorize(card, cents, faults.Decline.Hits()); err != nil {
		return fmt.Errorf("charge: %w", err)
	}
	return nil
}

// Refund gives money back.
func Refund(card string, cents int) error {
	if err := authorize(card, -cents, false); err != nil {
		return fmt.Errorf("refund: %w", err)
	}
	return nil
}

// verify rejects one card in a hundred, as it does on good days.
func verify(card string) error {
	sum := fnv.New32()
	sum.Write([]byte(card))
	if sum.Sum32()%100 == 0 {
		return fmt.Errorf("card %s has expired", card)
	}
	return nil
}

// authorize stands for a request to the gateway.
func authorize(card string, cents int, isDown bool) error {
	time.Sleep(time.Millisecond)
	if isDown {
		return fmt.Errorf("gateway timed out after 1ms: card %s, %d cents", card, cents)
	}
	return nil
}
