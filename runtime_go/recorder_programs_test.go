//go:build trace

package functrace_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"functrace"
)

func init() {
	for name, program := range map[string]func(){
		"fail":      func() { failing(3); failing(-1) },
		"insult":    func() { defer func() { recover() }(); insult() },
		"torn":      torn,
		"fatal":     func() { defer functrace.Trace()(); a(); log.Fatal("end") },
		"unhandled": func() { defer functrace.Trace()(); panics() },
		"throw":     func() { defer functrace.Trace()(); debug.SetMaxStack(1 << 18); overflow(0) },
		"misused":   func() { defer functrace.Trace()(); a(); new(sync.Mutex).Unlock() },
		"unwind":    unwind,
		"parents":   parents,
		"pool":      pool,
		"lent":      lent,
		"timer":     func() { done := make(chan bool); time.AfterFunc(0, func() { d(); close(done) }); <-done },
		"long":      func() { defer functrace.Trace()(); slow(long); slow(0); slowTwice() },
		"crowd":     crowd,
		"relay":     relay,
		"waves":     func() { waves(20_000) },
		"fill":      func() { defer functrace.Trace()(); waves(40_000); fmt.Fprintln(os.Stderr, "done") },
		"fill on":   fillOnManyThreads,
		"toggle":    toggled,
		"distrust":  func() { functrace.UseFallback(); run(func() { a(); unwind() }); a() },
		"signal":    signalled,
		"insist":    func() { fmt.Fprintln(os.Stderr, functrace.Start()); a() },
		"stuck":     func() { defer functrace.Trace()(); functrace.Stop(); a(); functrace.Start(); d() },
	} {
		programs[name] = program
	}
}

type failure struct{ text string }

func (f *failure) Error() string {
	defer functrace.Trace()()
	if f == nil {
		panic("no failure")
	}
	return f.text
}

func insult() {
	defer functrace.Trace()()
	panic(&failure{"why"})
}

// A mutable error is changed for good reason, by one goroutine while others return it.
type mutable struct {
	text  string
	err   error
	any   any
	items []error
	next  *mutable
}

func (*mutable) Error() string { panic("Error is called") }

// torn has errors recorded whose texts, lengths and types change all the time.
func torn() {
	m := &mutable{}
	ended := make(chan bool)
	for i := 0; i < 2; i++ {
		go func() {
			for i := 0; i < tornRounds; i++ {
				failWith(m)
			}
			ended <- true
		}()
	}
	path := &os.PathError{Op: "open", Path: strings.Repeat("path", 40), Err: io.EOF}
	for n := 0; n < 2; {
		m.change(path)
		select {
		case <-ended:
			n++
		default:
		}
	}
	fmt.Fprintln(os.Stderr, "done")
}

// change is not seen by the race detector, like what the program does under locks of its own.
//
//go:norace
func (m *mutable) change(path error) {
	for i := 0; i < 1000; i++ {
		m.text, m.err, m.any, m.items, m.next = "", path, 1, nil, nil
		m.text, m.err, m.any, m.items, m.next = strings.Repeat("text", 40)[:i%160], code(^uint(0)>>2)-code(i), path, []error{path, code(1)}, m
		m.text, m.err, m.any, m.items, m.next = "x", m, m, []error{m}, nil
		m.err, m.any = value{1, 2, 3}, value{1, 2, 3}
	}
}

type code int

func (code) Error() string { panic("Error is called") }

type value [3]uintptr

func (value) Error() string { panic("Error is called") }

//go:noinline
func failWith(m *mutable) (err error) {
	defer functrace.Exit(functrace.Enter(), &err)
	return m
}

func failing(n int) (err error) {
	defer functrace.Exit(functrace.Enter(), &err)
	switch {
	case n < 0:
		return (*failure)(nil)
	case n == 0:
		return nil
	case n == 1:
		return &failure{strings.Repeat("long ", 100)}
	}
	failing(n - 1)
	return errors.New("at " + fmt.Sprint(n))
}

func overflow(n int) int {
	defer functrace.Trace()()
	return overflow(n+1) + 1
}

// unwind has panics that pass through calls, and calls made while one does.
func unwind() {
	defer functrace.Trace()()
	func() {
		defer functrace.Trace()()
		defer func() { recover() }()
		func() (err error) {
			defer functrace.Exit(functrace.Enter(), &err)
			defer a()
			panic(errors.New("an error"))
		}()
	}()
	run(func() {
		defer functrace.Trace()()
		defer d()
		runtime.Goexit()
	})
}

func parents() {
	defer functrace.Trace()()
	starter()
	run(func() { d() })
}

func starter() {
	defer functrace.Trace()()
	run(c)
}

func pool() {
	defer functrace.Trace()()
	work := make(chan func())
	var workers sync.WaitGroup
	for i := 0; i < 2; i++ {
		workers.Add(1)
		go func() {
			defer functrace.Trace()()
			defer workers.Done()
			for f := range work {
				f()
			}
		}()
	}
	for i := 0; i < 4; i++ {
		work <- d
	}
	close(work)
	workers.Wait()
}

// lent has workers that somebody else's code starts, which is not traced, before there is work.
func lent() {
	w := startWorkers()
	func() {
		defer functrace.Trace()()
		w.do(c, d)
	}()
	w.do(d, d)
	close(w.work)
}

type workers struct {
	work chan func()
	done chan bool
}

func startWorkers() workers {
	w := workers{make(chan func()), make(chan bool)}
	go func() {
		for f := range w.work {
			f()
			w.done <- true
		}
	}()
	return w
}

func (w workers) do(work ...func()) {
	for _, f := range work {
		w.work <- f
		<-w.done
	}
}

// long is what no call takes that does not sleep, however busy the machine is.
const long = 300 * time.Millisecond

func slow(d time.Duration) {
	defer functrace.Trace()()
	time.Sleep(d)
}

func slowTwice() {
	defer functrace.Trace()()
	slow(long)
	d()
}

// crowd has many goroutines in traced calls at the same time, and says what they took.
func crowd() {
	var before, after runtime.MemStats
	size := func(stats *runtime.MemStats) uint64 {
		runtime.GC()
		runtime.ReadMemStats(stats)
		return stats.HeapInuse + stats.OtherSys + stats.MSpanInuse
	}
	first := size(&before)
	var inside, ended sync.WaitGroup
	release := make(chan bool)
	for i := 0; i < liveGoroutines; i++ {
		inside.Add(1)
		ended.Add(1)
		go func() {
			defer functrace.Trace()()
			inside.Done()
			<-release
			ended.Done()
		}()
	}
	inside.Wait()
	fmt.Println(size(&after) - first)
	close(release)
	ended.Wait()
}

// relay has many short goroutines, one after the other.
func relay() {
	for i := 0; i < liveGoroutines; i++ {
		run(d)
	}
}

func waves(n int) {
	defer functrace.Trace()()
	for i := 0; i < n; i++ {
		a()
	}
}

// fillOnManyThreads has goroutines that change threads within their calls.
func fillOnManyThreads() {
	runtime.GOMAXPROCS(4)
	var all sync.WaitGroup
	for i := 0; i < 16; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := 0; j < 10_000; j++ {
				yielding(3)
			}
		}()
	}
	all.Wait()
}

func yielding(n int) {
	defer functrace.Trace()()
	if runtime.Gosched(); n > 0 {
		yielding(n - 1)
	}
}

func toggled() {
	a()
	if err := functrace.Start(); err != nil {
		fmt.Println(err)
	}
	d()
	functrace.Stop()
	c()
	fmt.Println(functrace.Stopped())
	if err := functrace.Snapshot(io.Discard); err != nil {
		fmt.Println(err)
	}
}

// signalled is stopped and started by a signal to itself.
func signalled() {
	for _, f := range []func(){a, d, c} {
		f()
		stopped := functrace.Stopped()
		interrupt()
		for functrace.Stopped() == stopped {
			time.Sleep(time.Millisecond)
		}
	}
}
