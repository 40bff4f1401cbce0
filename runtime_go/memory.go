//go:build trace && go1.21

package functrace

import (
	"sync/atomic"
	"unsafe"
)

// A trust is how far the memory of the program can be relied on. The program may write to it
// concurrently: each word is then the old or the new one, but of the two words of a string or an
// interface, one may be old and the other new.
type trust int

const (
	immutable  trust = iota // not written to again: a value in an interface
	shared                  // each word is valid
	unverified              // reached through two words that may not match; may be any memory
)

// A location is an address in the program's memory. Reading it runs no code of the program and is
// not observed by the race detector. The address keeps no value alive; the described value does.
type location struct {
	address uintptr
	trust   trust
}

const wordSize = unsafe.Sizeof(uintptr(0))

// load returns the value at an address.
//
//go:norace
//go:nocheckptr
func load[T any](address uintptr) T { return **(**T)(unsafe.Pointer(&address)) }

//go:norace
func (s location) word() uintptr { return load[uintptr](s.address) }

// plus returns the location offset bytes further on.
//
//go:norace
func (s location) plus(offset uintptr) location { return location{s.address + offset, s.trust} }

// target returns the target of the pointer at this location, if size bytes are readable there.
//
//go:norace
func (s location) target(size uintptr) (location, bool) {
	address := s.word()
	if address == 0 || s.trust == unverified && !isReadable(address, size) {
		return location{}, false
	}
	return location{address, max(s.trust, shared)}, true
}

// text returns the address and size of the bytes of the string at this location. They are checked
// if the length may be that of another string, or if the string may be in memory that C or mmap
// has unmapped.
//
//go:norace
func (s location) text() (address, size uintptr, ok bool) {
	address, size = s.word(), s.plus(wordSize).word()
	if size == 0 {
		return 0, 0, true
	}
	size = min(size, maxText+1)
	isSure := s.trust != unverified && !checksPages
	return address, size, address != 0 && (isSure || isReadable(address, size))
}

// Cache of readable pages. The memory of the Go runtime stays readable.
var readablePages [256]atomic.Uintptr

// clearReadablePages has every page checked again: one outside the Go runtime may have been
// unmapped.
//
//go:norace
func clearReadablePages() {
	for i := range readablePages {
		readablePages[i].Store(0)
	}
}

const (
	minPageSize     = 4096
	maxCheckedBytes = 1 << 20 // bounds the number of system calls for one value
)

// isReadable reports whether size bytes at the address can be read without a fault, as far as the
// system can be asked.
//
//go:norace
func isReadable(address, size uintptr) bool {
	if !checksPages || address < minPageSize || size > maxCheckedBytes {
		return false
	}
	last := (address + max(size, 1) - 1) / minPageSize
	for page := address / minPageSize; page <= last; page++ {
		cached := &readablePages[page%uintptr(len(readablePages))]
		if cached.Load() == page {
			continue
		}
		if !isReadablePage(page * minPageSize) {
			return false
		}
		cached.Store(page)
	}
	return address/minPageSize <= last // else it is at the end of the address space
}

func addressOf[T any](variable *T) uintptr { return uintptr(unsafe.Pointer(variable)) }
