// Command hour runs many goroutines that call a few functions in turns, and counts the entries
// and exits of its traced calls: hour GOROUTINES CALLS_A_SECOND. It answers each line of its input
// with two numbers, the events that it has started and those that it has completed, and ends with
// its input.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"example.com/hour/calls"
)

// pause is the number of goroutines after which the start of others waits, to spread their turns.
const pause = 100

func main() {
	goroutines, err := strconv.Atoi(os.Args[1])
	check(err)
	rate, err := strconv.Atoi(os.Args[2])
	check(err)
	period := time.Duration(goroutines*calls.Turn) * time.Second / time.Duration(rate)
	counters := make([]calls.Counter, goroutines+1)
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for i := range counters[1:] {
		start(&counters[i+1], &workers, func(count *calls.Counter) {
			calls.Work(count, stop, period)
		})
		if i%pause == 0 {
			time.Sleep(period * pause / time.Duration(goroutines))
		}
	}
	start(&counters[0], &workers, func(count *calls.Counter) { calls.Wait(count, stop) })
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		report(counters)
	}
	close(stop)
	workers.Wait()
	report(counters)
}

func start(count *calls.Counter, workers *sync.WaitGroup, work func(*calls.Counter)) {
	workers.Add(1)
	go func() {
		defer workers.Done()
		count.Started.Add(2)
		work(count)
		count.Completed.Add(2)
	}()
}

// report reads all that is completed before all that is started, so that neither sum hides an event.
func report(counters []calls.Counter) {
	var started, completed uint64
	for i := range counters {
		completed += counters[i].Completed.Load()
	}
	for i := range counters {
		started += counters[i].Started.Load()
	}
	fmt.Println(started, completed)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
