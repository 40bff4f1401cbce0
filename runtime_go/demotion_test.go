//go:build trace && unix

package functrace_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"functrace"
)

const someBudget = "FUNCTRACE_BUDGET=100%"

func init() {
	for name, program := range map[string]func(){
		"demoted":  whileOpen,
		"failures": failures,
		"busy":     busy,
		"flapping": flapping,
		"garbage":  garbage,
	} {
		programs[name] = program
	}
}

// nest calls itself and f in the innermost call.
func nest(n int, f func()) {
	defer functrace.Trace()()
	if n == 0 {
		f()
		return
	}
	nest(n-1, f)
}

// whileOpen has a function demoted and promoted in its own calls.
func whileOpen() {
	defer functrace.Trace()()
	nest(1, func() { functrace.Demote("nest"); nest(0, d) })
	nest(1, func() { functrace.Promote("nest"); nest(0, d) })
	nest(0, d)
}

// Each call ends as it has begun.
func TestCallsThatAreOpenAtADemotion(t *testing.T) {
	d, _, stderr := record(t, "demoted", someBudget)
	expect(t, d.main().String(), strings.Join([]string{
		"\t->whileOpen",
		"\t\t->nest", "\t\t\t->nest", "\t\t\t\t->d", "\t\t\t\t<-d", "\t\t\t<-nest", "\t\t<-nest", // demoted inside
		"\t\t->nest", "\t\t\t->d", "\t\t\t<-d", "\t\t<-nest", // promoted inside
		"\t\t->nest", "\t\t\t->d", "\t\t\t<-d", "\t\t<-nest",
		"\t<-whileOpen", "",
	}, "\n"))
	expect(t, strings.Join(d.demotions, "\n"), "nest 3 7\nnest 0 7")
	expect(t, stderr, "")
}

func fails(text string) (err error) {
	defer functrace.Exit(functrace.Enter(), &err)
	if text == "" {
		return nil
	}
	if text == "panic" {
		panic("oops")
	}
	return errors.New(text)
}

// failures has failing calls while their functions are recorded, demoted and silenced.
func failures() {
	defer functrace.Trace()()
	try := func() {
		fails("")
		fails("no")
		func() { defer func() { recover() }(); fails("panic") }()
		func() { defer func() { recover() }(); panics() }()
		func() { defer func() { fails(""); recover() }(); panic("somebody else's") }()
	}
	try()
	for _, change := range []func(string){functrace.Demote, functrace.Demote, functrace.Promote} {
		change("fails")
		change("panics")
		d()
		try()
	}
}

func TestFailuresOfDemotedFunctions(t *testing.T) {
	d, _, stderr := record(t, "failures", someBudget)
	ok, oops := "\t\t->fails\n\t\t<-fails\n", "oops"
	no := "\t\t->fails\n\t\terror no\n\t\t<-fails\n"
	panicOf := func(name string) string { return "\t\t->" + name + "\n\t\tpanic " + oops + "\n\t\t<-" + name + "\n" }
	if !functrace.IsFast() { // the public interfaces do not tell
		oops = ""
	}
	all := ok + no + panicOf("fails") + panicOf("panics") + ok
	failed := no + panicOf("fails")
	if !functrace.IsFast() {
		failed = no
	}
	leaf := "\t\t->d\n\t\t<-d\n"
	expect(t, d.main().String(), "\t->failures\n"+all+leaf+failed+leaf+leaf+all+"\t<-failures\n")
	expect(t, stderr, "")
	events := d.main().events
	for i, e := range events {
		if e.kind == "error" && events[i-1].name == "fails" && i > 12 && i < 20 && events[i-1].ticks != events[i+1].ticks {
			t.Errorf("entry and exit of a failed call: %v, %v", events[i-1], events[i+1])
		}
	}
	expect(t, strings.Join(d.demotions, "\n"),
		"fails 1 7\npanics 3 7\nfails 3 7\nfails 0 7\npanics 0 7")
}

//go:noinline
func hot() { defer functrace.Trace()() }

//go:noinline
func hotToo() (err error) {
	defer functrace.Exit(functrace.Enter(), &err)
	return nil
}

// busy does next to nothing but call small functions.
func busy() {
	defer functrace.Trace()()
	for i := 0; i < busyRounds; i++ {
		hot()
		hotToo()
	}
	d()
	for i := 0; i < busyRounds; i++ {
		hot()
		hotToo()
	}
}

func TestBusyProgramIsWithinItsBudget(t *testing.T) {
	d, _, _ := record(t, "busy", "FUNCTRACE_BUDGET=3%", "FUNCTRACE_MAX_SIZE=256M", "FUNCTRACE_EXCLUDE=*.init*")
	calls := [2]int{}
	half := 0
	for _, e := range d.main().events {
		if e.name == "d" {
			half = 1
		} else if e.kind == "->" {
			calls[half]++
		}
	}
	if calls[0] == 0 || calls[0]+calls[1] > busyRounds || calls[1] > busyRounds/10 {
		t.Errorf("%v of %d calls are recorded; %v", calls, 2*busyRounds, d.demotions)
	}
	if all := strings.Join(d.demotions, "\n"); !strings.Contains(all, "hot 3 ") || !strings.Contains(all, "hotToo 1 ") {
		t.Error(all)
	}
	if !strings.Contains(d.process, `"budget_ppm":30000,`) {
		t.Error(d.process)
	}
}

func TestWithoutABudgetNothingIsDemoted(t *testing.T) {
	d, _, _ := record(t, "waves", "FUNCTRACE_BUDGET=off")
	if len(d.demotions) > 0 || strings.Contains(d.process, "budget_ppm") {
		t.Errorf("%v, %s", d.demotions, d.process)
	}
}

// flapping has functions demoted and promoted while several goroutines call them.
func flapping() {
	a()
	fails("")
	var callers sync.WaitGroup
	for i := 0; i < 4; i++ {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for i := 0; i < 2000; i++ {
				a()
				fails("")
				fails("no")
			}
		}()
	}
	for i := 0; i < 300; i++ {
		for _, change := range []func(string){functrace.Demote, functrace.Demote, functrace.Promote} {
			for _, name := range []string{"b", "fails", "d"} {
				change(name)
			}
		}
	}
	callers.Wait()
	fmt.Fprintln(os.Stderr, "done")
}

// The decoder finds exits that do not match.
func TestChangesWhileOthersCall(t *testing.T) {
	d, _, stderr := record(t, "flapping", someBudget)
	expect(t, stderr, "done\n")
	if len(d.tracks) != 5 || len(d.demotions) < 300*(3+2+2) {
		t.Errorf("%d tracks, %d demotions", len(d.tracks), len(d.demotions))
	}
	for _, track := range d.tracks {
		if len(track.open) != 0 {
			t.Errorf("goroutine %d: %v are open", track.id, track.open)
		}
	}
}

// garbage calls a demoted function alone, until it is promoted.
func garbage() {
	d()
	functrace.Demote("d")
	for functrace.IsDemoted("d") {
		d()
		runtime.GC()
	}
	d()
}

// No chunk is filled meanwhile, and no list of open calls is due.
func TestPromotionWhileNothingIsRecorded(t *testing.T) {
	d, _, _ := record(t, "garbage", someBudget)
	expect(t, d.main().String(), "\t->d\n\t<-d\n\t->d\n\t<-d\n")
	expect(t, strings.Join(d.demotions, "\n"), "d 3 7\nd 0 7")
}
