//go:build trace && go1.21

package functrace

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A function is the metadata of the function that contains a return address.
type function struct {
	pc     uintptr
	match  atomic.Uintptr        // pc, or its complement while the function is demoted
	number uint64                // in the trace, if there is one
	absent atomic.Pointer[track] // stands in for the goroutine's track while the function is demoted
	name   string
	file   string
	line   int  // of the address
	hidden bool // filtered out by FUNCTRACE_INCLUDE and FUNCTRACE_EXCLUDE

	returnsError bool // its exits report the error

	request requestKind // if it stands for requests
}

// Functions by return address: an open hash table that readers walk without a
// lock. Slots are only ever filled; a table that gets half full is replaced by
// a larger copy. Its length is a power of two.
//
// The race detector must not observe this, or it would treat a function that
// two goroutines call as synchronization between them: hence go:norace here,
// and enter disables it for the atomics and the lock.
type functionTable []atomic.Pointer[function]

var (
	functions     atomic.Pointer[functionTable]
	functionsMu   sync.Mutex // held to add
	functionCount int
)

func init() {
	table := make(functionTable, 1<<12)
	functions.Store(&table)
}

// functionAt returns the function that contains pc, and caches it for recordEntry.
//
//go:norace
func functionAt(pc uintptr) *function {
	f := functions.Load().find(pc)
	if f == nil {
		f = addFunction(pc)
	}
	// Load first: a store makes the other cores fetch the cache line again.
	if recent := &recentFunctions[hash(pc)%recentSize]; !f.hidden && recent.Load() != f {
		recent.Store(f)
	}
	return f
}

//go:norace
func (t functionTable) find(pc uintptr) *function {
	for i := hash(pc); ; i++ {
		f := t[i&uintptr(len(t)-1)].Load()
		if f == nil || f.pc == pc {
			return f
		}
	}
}

// Functions called recently, a cache of one entry per slot for recordEntry.
var recentFunctions [recentSize]atomic.Pointer[function]

const recentSize = 1 << 12

//go:norace
func (t functionTable) put(f *function) {
	i := hash(f.pc)
	for t[i&uintptr(len(t)-1)].Load() != nil {
		i++
	}
	t[i&uintptr(len(t)-1)].Store(f)
}

// addFunction adds the function that contains pc to the table.
//
//go:norace
func addFunction(pc uintptr) *function {
	functionsMu.Lock()
	defer functionsMu.Unlock()
	table := *functions.Load()
	if f := table.find(pc); f != nil {
		return f
	}
	f := newFunction(pc)
	functionCount++
	if functionCount > len(table)/2 {
		table = table.grown()
		functions.Store(&table)
	}
	table.put(f)
	return f
}

//go:norace
func (t functionTable) grown() functionTable {
	larger := make(functionTable, 2*len(t))
	for i := range t {
		if f := t[i].Load(); f != nil {
			larger.put(f)
		}
	}
	return larger
}

// newFunction returns the metadata of the function that contains pc, the innermost one if
// inlined. The function is recorded in the trace before its number is used.
//
//go:norace
func newFunction(pc uintptr) *function {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	f := &function{pc: pc, name: frame.Function, file: frame.File, line: frame.Line}
	f.match.Store(pc)
	if f.name == "" {
		f.name = "?"
	}
	f.hidden = !settings.isTraced(f.name)
	if recording {
		start := frame.Line
		if frame.Func != nil {
			_, start = frame.Func.FileLine(frame.Entry)
		}
		f.number = rec.putFunction(f, start)
		f.hidden = f.hidden || f.number == 0
	} else {
		f.name = escape(f.name) // an identifier may consist of invisible letters
	}
	return f
}

// hash distributes addresses, which share their high and low bits.
func hash(address uintptr) uintptr {
	return uintptr(uint64(address) * 0x9e3779b97f4a7c15 >> 32)
}
