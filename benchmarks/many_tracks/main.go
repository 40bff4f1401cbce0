// Requests of three calls on goroutines that take turns: GOROUTINES REQUESTS. It prints nanoseconds of CPU time.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
)

//go:noinline
func leaf(n int) int { return n + 1 }

//go:noinline
func request(n int) int { return leaf(n) + leaf(n+1) }

func main() {
	goroutines, _ := strconv.Atoi(os.Args[1])
	requests, _ := strconv.Atoi(os.Args[2])
	var wg sync.WaitGroup
	inputs := make([]chan int, goroutines)
	for i := range inputs {
		in := make(chan int, 1)
		inputs[i] = in
		go func() {
			for n := range in {
				request(n)
				wg.Done()
			}
		}()
	}
	began := cpu()
	for i := 0; i < requests; i += goroutines {
		wg.Add(goroutines)
		for _, in := range inputs {
			in <- i
		}
		wg.Wait()
	}
	fmt.Println(cpu() - began)
}

func cpu() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
