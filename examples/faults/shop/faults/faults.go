// Package faults holds the switches that break the shop.
package faults

import (
	"fmt"
	"math/rand"
	"sync/atomic"
)

// A Switch makes a share of the calls go wrong; 0 turns it off.
type Switch struct {
	share atomic.Uint64 // in millionths
}

// The faults of the shop.
var (
	Decline Switch // the payment gateway times out
	Leak    Switch // a receipt waits for an address that never comes
	Hang    Switch // the carrier never answers
	Spin    Switch // a voucher is worth trying every combination of items
	Panic   Switch // an order without items
	Grow    Switch // a report holds the whole history in memory
)

var switches = map[string]*Switch{
	"decline": &Decline, "leak": &Leak, "hang": &Hang, "spin": &Spin, "panic": &Panic, "grow": &Grow,
}

// Set sets the share of calls that the named fault affects, from 0 to 1.
func Set(name string, share float64) error {
	found := switches[name]
	if found == nil || share < 0 || share > 1 {
		return fmt.Errorf("no fault %q with a share of %v", name, share)
	}
	found.share.Store(uint64(share * 1e6))
	return nil
}

// Hits reports whether the fault affects this call.
func (s *Switch) Hits() bool {
	return uint64(rand.Intn(1e6)) < s.share.Load()
}
