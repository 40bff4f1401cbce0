// A program for the watcher: four goroutines that make about as many events a second as asked for.
package main

import (
	"errors"
	"os"
	"strconv"
	"time"
)

const eventsOfOrder = 18

var errStock = errors.New("no stock")

func price(item int) int { return item * 3 }

func check(item int) error {
	if item%100 == 0 {
		return errStock
	}
	return nil
}

func sell(item int) error {
	price(item)
	price(item + 1)
	return check(item)
}

func order(item int) {
	sell(item)
	sell(item + 1)
}

func serve(perMillisecond int) {
	start := time.Now()
	for turn := 1; ; turn++ {
		for item := 0; item < perMillisecond/eventsOfOrder; item++ {
			order(item)
		}
		time.Sleep(time.Until(start.Add(time.Duration(turn) * time.Millisecond)))
	}
}

func main() {
	rate, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(2)
	}
	for i := 0; i < 3; i++ {
		go serve(rate / 4000)
	}
	serve(rate / 4000)
}
