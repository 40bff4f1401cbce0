// Command load sends many requests to the gateway at once: load GATEWAY REQUESTS. Each has its own trace id. It prints the
// number of answers, and the seconds that they took.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	requests, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var answered atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for i := 1; i <= requests; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			if err := checkout(client, os.Args[1], i); err == nil {
				answered.Add(1)
			} else if answered.Load() == 0 {
				fmt.Fprintln(os.Stderr, err)
			}
		}(i)
	}
	all.Wait()
	fmt.Println(answered.Load(), time.Since(began).Seconds())
}

func checkout(client *http.Client, gateway string, i int) error {
	truth := fmt.Sprintf("%032x", i)
	request, err := http.NewRequest(http.MethodGet, gateway+"/checkout?truth="+truth, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Traceparent", fmt.Sprintf("00-%s-%016x-01", truth, i))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	return nil
}
