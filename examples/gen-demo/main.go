// Command gen-demo reaches D through two chains, on two goroutines.
package main

//go:generate functrace inject -w $GOFILE

import "sync"

func main() {
	var wg sync.WaitGroup
	wg.Add(1)
	go second(&wg)
	A1()
	wg.Wait()
}

func second(wg *sync.WaitGroup) {
	defer wg.Done()
	A2()
}

func A1() { B1() }
func B1() { C1() }
func C1() { D() }

func A2() { B2() }
func B2() { C2() }
func C2() { D() }

func D() {}
