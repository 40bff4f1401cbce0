// Command store answers every request after a moment: store ADDRESS ARRIVALS.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"example.com/joins/arrivals"
)

func main() {
	var log arrivals.Log
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Note(r)
		reserve()
	})
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := &http.Server{}
	go log.WriteAtTheEnd(os.Args[2], func() { server.Close() })
	server.Serve(listener)
}

func reserve() { time.Sleep(time.Millisecond) }
