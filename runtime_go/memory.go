//go:build trace && go1.21

package functrace

import (
	"sync/atomic"
	"unsafe"
)

// A trust is what can be relied on when the memory of the program is read. The program may write
// to it at the same time: a word is then the old one or the new one, but of the two words of a
// string or an interface one may be old and the other new.
type trust int

const (
	immutable  trust = iota // never written to again: a value in an interface
	shared                  // each word is genuine
	unverified              // reached through two words that may not match: anything may be there
)

// A spot is a place in the program's memory. Nothing of the program runs when it is read, and the
// race detector does not see it. The address keeps nothing alive, which the value does that is
// being described.
type location struct {
	address uintptr
	trust   trust
}

const wordSize = unsafe.Sizeof(uintptr(0))

// load reads what is at an address.
//
//go:norace
//go:nocheckptr
func load[T any](address uintptr) T { return **(**T)(unsafe.Pointer(&address)) }

//go:norace
func (s location) word() uintptr { return load[uintptr](s.address) }

// plus returns the spot that many bytes further on.
//
//go:norace
func (s location) plus(offset uintptr) location { return location{s.address + offset, s.trust} }

// target returns where the pointer here points to, if size bytes are there.
//
//go:norace
func (s location) target(size uintptr) (location, bool) {
	address := s.word()
	if address == 0 || s.trust == unverified && !isReadable(address, size) {
		return location{}, false
	}
	return location{address, max(s.trust, shared)}, true
}

// text returns where the bytes of the string here are. A length that is another string's might lead
// astray, and so might a string in memory that C or mmap has given and taken back.
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

// Pages that were found readable. The memory of the Go runtime stays so.
var readablePages [256]atomic.Uintptr

// forgetPages has every page tested again: one that is not the Go runtime's may have been unmapped.
//
//go:norace
func clearReadablePages() {
	for i := range readablePages {
		readablePages[i].Store(0)
	}
}

const (
	minPageSize     = 4096
	maxCheckedBytes = 1 << 20 // about as many calls of the system as one value is worth
)

// isReadable reports whether size bytes at the address can be read without a fault, as far as
// the system can be asked.
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
