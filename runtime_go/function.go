//go:build trace && go1.21

package functrace

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A function is what is known of the code that a return address lies in.
type function struct {
	pc     uintptr
	name   string
	line   int    // of the address
	number uint64 // in the trace, if there is one
	hidden bool   // by FUNCTRACE_INCLUDE and FUNCTRACE_EXCLUDE
}

// Functions by return address: an open hash table that readers walk without a
// lock. Slots are only ever filled; a table that gets half full is replaced by
// a larger copy. Its length is a power of two.
//
// The race detector is not to see any of this, or it would take a function that
// two goroutines call for synchronisation between them: hence go:norace here,
// and enter hides the atomics and the lock.
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

//go:norace
func functionAt(pc uintptr) *function {
	f := functions.Load().find(pc)
	if f == nil {
		f = addFunction(pc)
	}
	// Looked at first: what one core writes, the others must fetch again.
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

// Functions that were called lately, for which recordEntry takes one look.
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

// newFunction finds out about the function that a call returning to pc stands in, the
// innermost one if it was inlined. A trace is told before anybody can use its number.
//
//go:norace
func newFunction(pc uintptr) *function {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	f := &function{pc: pc, name: frame.Function, line: frame.Line}
	if f.name == "" {
		f.name = "?"
	}
	f.hidden = !settings.isTraced(f.name)
	if recording {
		start := frame.Line
		if frame.Func != nil {
			_, start = frame.Func.FileLine(frame.Entry)
		}
		f.number = rec.putFunction(f, frame.File, start)
		f.hidden = f.hidden || f.number == 0
	}
	return f
}

// hash spreads addresses, which share their low and their high bits.
func hash(address uintptr) uintptr {
	return uintptr(uint64(address) * 0x9e3779b97f4a7c15 >> 32)
}
