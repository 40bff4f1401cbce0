// Command load sends orders to the service at an address: load ADDRESS REQUESTS. It keeps as many connections
// busy as saturate two cores, and then ends the service.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

const connections = 16

func main() {
	address := "http://" + os.Args[1]
	requests, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	var left atomic.Int64
	left.Store(requests)
	var workers sync.WaitGroup
	for i := 0; i < connections; i++ {
		workers.Add(1)
		go func(i int) {
			defer workers.Done()
			for left.Add(-1) >= 0 {
				order(client, address+"/orders", i)
			}
		}(i)
	}
	workers.Wait()
	_, err = client.Get(address + "/quit")
	check(err)
}

func order(client *http.Client, url string, i int) {
	var items []string
	for n := 0; n < 8; n++ {
		items = append(items, fmt.Sprintf(`{"product": "p%d", "count": %d}`, 17*i+n, n+1))
	}
	body := `{"code": "HALF2", "items": [` + strings.Join(items, ", ") + `]}`
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	check(err)
	request.Header.Set("Authorization", "User u"+strconv.Itoa(i))
	response, err := client.Do(request)
	check(err)
	_, err = io.Copy(io.Discard, response.Body)
	check(err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		check(fmt.Errorf("status %s", response.Status))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
