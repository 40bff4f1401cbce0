// Package pricing computes what an order costs.
package pricing

import (
	"example.com/faults/shop/faults"
	"example.com/faults/shop/store"
)

// Total returns the price of some items in cents, with what a voucher takes off.
func Total(item store.Item, count int) int {
	cents := item.Cents * count
	return cents - discount(cents) - voucher(cents)
}

func discount(cents int) int {
	if cents > 10_000 {
		return cents / 20
	}
	return 0
}

// voucher finds the best combination of parts of a voucher.
func voucher(cents int) int {
	parts := 10
	if faults.Spin.Hits() {
		parts = 23
	}
	best := 0
	for chosen := 0; chosen < 1<<parts; chosen++ {
		if sum := worth(chosen); sum > best && sum < cents/10 {
			best = sum
		}
	}
	return best
}

func worth(chosen int) int {
	sum := 0
	for part := 1; chosen > 0; part++ {
		sum += part * (chosen & 1)
		chosen >>= 1
	}
	return sum
}
