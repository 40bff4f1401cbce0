//go:build trace && linux

package functrace

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// An errorOutside has pointers to memory that is not Go's: that of a C library or of a mapping.
type errorOutside struct {
	untouchable
	Count *int
	Name  *string
	Text  string
}

// Such memory may be unmapped before the error is described, even after it was read once.
func TestUnmappedMemoryIsHarmless(t *testing.T) {
	memory, err := syscall.Mmap(-1, 0, syscall.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	at := unsafe.Pointer(&memory[0])
	*(*int)(at) = 3
	err = &errorOutside{Count: (*int)(at)}
	if got := described(err); !strings.Contains(got, "Count: &3") {
		t.Error(got)
	}
	if err := syscall.Munmap(memory); err != nil {
		t.Fatal(err)
	}
	text := unsafe.String((*byte)(at), 8)
	for _, err := range []*errorOutside{{Count: (*int)(at)}, {Name: (*string)(at)}, {Name: &text}, {Text: text}} {
		// A fault has the pages tested again, and then a pointer is shown by its type.
		got := described(err)
		isMarked := strings.Contains(got, "…") || strings.Contains(got, "Name: *string")
		if !strings.HasPrefix(got, "&functrace.errorOutside{untouchable: {}") || !isMarked {
			t.Error(got)
		}
	}
	if setPanicOnFault(false) {
		t.Error("a fault of the program would be a panic")
	}
}
