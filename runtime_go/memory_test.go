//go:build trace && (linux || darwin || freebsd)

package functrace

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"
)

func TestMemoryIsReadableWhereItIsMapped(t *testing.T) {
	var here [2 * minPageSize]byte
	for _, c := range []struct {
		address, size uintptr
		want          bool
	}{
		{addressOf(&here), uintptr(len(here)), true},
		{addressOf(&here), 0, true},
		{addressOf(&here), 1 << 30, false},
		{0, 1, false},
		{1, 1, false},
		{minPageSize - 1, 1, false},
		{highestPage, 1, false},
		{^uintptr(0), 1, false},
		{^uintptr(0), 2, false},
	} {
		if got := isReadable(c.address, c.size); got != c.want {
			t.Errorf("%d bytes at %#x: %v", c.size, c.address, got)
		}
	}
	runtime.KeepAlive(&here)
}

func TestUncheckablePointersAreMarked(t *testing.T) {
	defer func(checks bool) { checksPages = checks }(checksPages)
	checksPages = false
	address := &net.TCPAddr{IP: net.ParseIP("1.2.3.4"), Port: 80}
	for _, c := range []struct {
		value any
		want  string
	}{
		{errors.Join(io.EOF, io.EOF), "…"},
		{address, "…:80"},
		{&net.TCPAddr{Port: 80}, ":80"},
		{&struct{ Next *int }{new(int)}, "&struct { Next *int }{Next: &0}"},
	} {
		if got := described(c.value); got != c.want {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
}

type released struct {
	untouchable
	Number *int32
	*held
}

type held struct{ Number int32 }

func TestPointersToReleasedMemoryAreNotFollowed(t *testing.T) {
	clearReadablePages() // another test may have had this address
	memory, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	number, inner := (*int32)(unsafe.Pointer(&memory[0])), (*held)(unsafe.Pointer(&memory[0]))
	if err := syscall.Munmap(memory); err != nil {
		t.Fatal(err)
	}
	want := "&functrace.released{untouchable: {}, Number: *int32, held: *functrace.held}"
	if got := described(&released{untouchable{}, number, inner}); got != want {
		t.Error(got)
	}
	if got := described(inner); got != "*functrace.held" {
		t.Error(got)
	}
	if got := described(message(unsafe.String((*byte)(unsafe.Pointer(number)), 5))); got != `functrace.message(…)` {
		t.Error(got)
	}
}

func TestAtomicValueIsNotReadDuringStore(t *testing.T) {
	var storing byte
	value := &struct{ Value atomic.Value }{}
	wordsOfInterface((*any)(unsafe.Pointer(&value.Value)))[0] = addressOf(&storing)
	if got := described(value); got != "&struct { Value atomic.Value }{Value: {v: …}}" {
		t.Error(got)
	}
	runtime.KeepAlive(&storing)
}

func TestDescribingDoesNotAllocateLargeValues(t *testing.T) {
	type large struct {
		untouchable
		pointer *[1 << 28]byte
	}
	var place [8]byte
	var before, after runtime.MemStats
	value := &large{}
	*(*unsafe.Pointer)(unsafe.Pointer(&value.pointer)) = unsafe.Pointer(&place)
	runtime.ReadMemStats(&before)
	want := "&functrace.large{untouchable: {}, pointer: *[268435456]uint8}"
	if got := described(value); got != want {
		t.Error(got)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes", allocated)
	}
}

func TestMappingAtUnalignedOffsets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, make([]byte, 3*minPageSize), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := openOutput(path, os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := file.mapPart(minPageSize+512, minPageSize)
	if err != nil || len(memory) != minPageSize {
		t.Fatal(len(memory), err)
	}
	memory[0] = 'x'
	release(memory)
	if content, _ := os.ReadFile(path); content[minPageSize+512] != 'x' || memory[0] != 'x' {
		t.Error("the mapped part is another one")
	}
}
