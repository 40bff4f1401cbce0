//go:build trace

package functrace_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"functrace"
)

// The test binary run again as one of these programs, in an environment of its own.
var programs = map[string]func(){
	"chain":    func() { a() },
	"kinds":    kinds,
	"hidden":   hiddenㅤ,
	"panic":    recovered,
	"goexit":   func() { run(func() { defer functrace.Trace()(); runtime.Goexit() }) },
	"loop":     loop,
	"init":     func() {},
	"exit":     func() { a(); os.Exit(7) },
	"kill":     func() { a(); kill() },
	"many":     manyGoroutines,
	"mixed":    mixed,
	"short":    manyShortGoroutines,
	"deep":     func() { deep(deepest) },
	"allocs":   allocations,
	"misuse":   misuse,
	"foreign":  foreign,
	"returned": returned,
	"leaves":   func() { deepLeaves(3000) },
	"closed":   func() { os.Stdout.Close(); a(); fmt.Fprintln(os.Stderr, "done") },
	"create":   func() { a(); os.WriteFile(os.Getenv("FUNCTRACE_TEST_CREATE"), nil, 0o600) },
	"stranded": func() { a(); fmt.Fprintln(os.Stderr, "done") },
}

func TestMain(m *testing.M) {
	if program := os.Getenv("FUNCTRACE_TEST_PROGRAM"); program != "" {
		programs[program]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func run(f func()) {
	done := make(chan bool)
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

type shape struct{}

func (shape) value()    { defer functrace.Trace()() }
func (*shape) pointer() { defer functrace.Trace()() }

func generic[T any](T) { defer functrace.Trace()() }

func kinds() {
	shape{}.value()
	(&shape{}).pointer()
	method := shape{}.value
	method()
	generic(1)
	func() { defer functrace.Trace()() }()
}

// The name contains U+3164, an invisible letter.
func hiddenㅤ() { defer functrace.Trace()() }

func recovered() {
	defer functrace.Trace()()
	defer func() { fmt.Fprintln(os.Stderr, "recovered", recover()) }()
	panics()
}

func panics() {
	defer functrace.Trace()()
	panic("oops")
}

func loop() {
	for i := 0; i < 2; i++ {
		defer functrace.Trace()()
	}
}

var _ = func() int {
	if os.Getenv("FUNCTRACE_TEST_PROGRAM") == "init" {
		d()
	}
	return 0
}()

func init() {
	if os.Getenv("FUNCTRACE_TEST_PROGRAM") == "init" {
		d()
	}
}

// manyGoroutines has a hundred thousand goroutines, or some fewer, in a chain at the same time.
func manyGoroutines() {
	const n = liveGoroutines
	var inside, ended sync.WaitGroup
	inside.Add(n)
	ended.Add(n)
	leave := make(chan bool)
	for i := 0; i < n; i++ {
		go func() {
			defer ended.Done()
			outer(func() { inside.Done(); <-leave })
		}()
	}
	inside.Wait()
	close(leave)
	ended.Wait()
}

func outer(f func()) {
	defer functrace.Trace()()
	inner(f)
}

func inner(f func()) {
	defer functrace.Trace()()
	f()
}

// mixed prints lines of a few bytes and of more than a pipe takes at once.
func mixed() {
	var wg sync.WaitGroup
	for _, depth := range []int{3, 3, 3, 5000, 5000} {
		depth := depth
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < mixedRounds/depth; i++ {
				deep(depth)
			}
		}()
	}
	wg.Wait()
}

func deep(n int) {
	defer functrace.Trace()()
	if n > 1 {
		deep(n - 1)
	}
}

// deepLeaves has many calls inside many open ones.
func deepLeaves(n int) {
	defer functrace.Trace()()
	if n > 1 {
		deepLeaves(n - 1)
		return
	}
	for i := 0; i < 30_000; i++ {
		d()
	}
	os.Exit(0)
}

// manyShortGoroutines says how much the heap has grown after the first tenth.
func manyShortGoroutines() {
	batch := func(n int) {
		var wg sync.WaitGroup
		for i := 0; i < n; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				inner(func() {})
			}()
			if i%1000 == 999 {
				wg.Wait()
			}
		}
		wg.Wait()
	}
	batch(shortGoroutines / 10)
	before := heap()
	batch(shortGoroutines * 9 / 10)
	fmt.Fprintln(os.Stderr, int64(heap()-before))
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func allocations() {
	fmt.Fprintln(os.Stderr, testing.AllocsPerRun(10000, d))
}

func misuse() {
	exit := functrace.Trace()
	exit()
	exit()
	functrace.Trace() // never left
	run(functrace.Trace())
	a()
}

// returned has an error reported on another goroutine than that of the call.
func returned() {
	call := functrace.Enter()
	err := errors.New("of another goroutine")
	run(func() { functrace.Exit(call, &err) })
	err = nil
	functrace.Exit(call, &err)
}

// foreign has exit functions called on other goroutines while their own goes on.
func foreign() {
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 1000; i++ {
				exit := functrace.Trace()
				wg.Add(1)
				go func() { defer wg.Done(); exit() }()
				deep(20)
			}
		}()
	}
	wg.Wait()
}
