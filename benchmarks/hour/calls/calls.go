// Package calls holds the functions that are traced. None of them can be inlined.
package calls

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"
)

// Turn is the number of calls of a turn.
const Turn = 8

var errLocked = errors.New("item is locked")

// Counter counts the entries and exits of one goroutine.
type Counter struct {
	Started, Completed atomic.Uint64
	_                  [48]byte // no two goroutines share a cache line
}

// Work takes turns until it is stopped.
//
//go:noinline
func Work(count *Counter, stop <-chan struct{}, period time.Duration) {
	serve(count, stop, period, Turn, turn)
}

// Wait calls once a second until it is stopped.
//
//go:noinline
func Wait(count *Counter, stop <-chan struct{}) {
	serve(count, stop, time.Second, 1, tick)
}

//go:noinline
func serve(count *Counter, stop <-chan struct{}, period time.Duration, calls uint64, work func(int) string) {
	count.Completed.Add(2)
	timer := time.NewTicker(period)
	defer timer.Stop()
	for n := 0; ; n++ {
		select {
		case <-timer.C:
			count.Started.Add(2 * calls)
			work(n)
			count.Completed.Add(2 * calls)
		case <-stop:
			count.Started.Add(2)
			return
		}
	}
}

//go:noinline
func tick(n int) string { return strconv.Itoa(n) }

//go:noinline
func turn(n int) string {
	number, err := load(strconv.Itoa(n))
	price := price(number)
	if err != nil {
		price = 0
	}
	return save(price)
}

//go:noinline
func load(id string) (int, error) {
	number := parse(id)
	return number, validate(number)
}

//go:noinline
func parse(id string) int {
	number, _ := strconv.Atoi(id)
	return number
}

//go:noinline
func validate(number int) error {
	if number%50 == 49 {
		return errLocked
	}
	return nil
}

//go:noinline
func price(number int) int { return round(number*117) + 1 }

//go:noinline
func round(number int) int { return number / 100 }

//go:noinline
func save(price int) string { return encode(price) }

//go:noinline
func encode(price int) string { return strconv.FormatInt(int64(price), 36) }
