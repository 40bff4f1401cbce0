// Command shop sells lamps over HTTP and prints its address. POST /fault?name=leak&share=0.5 breaks
// half of the calls that the fault can affect; package faults lists the faults. SIGTERM ends it.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"example.com/faults/shop/api"
	"example.com/faults/shop/store"
	"example.com/faults/shop/workers"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := &http.Server{Handler: api.New(store.New(), workers.Start())}
	go server.Serve(listener)
	fmt.Println(listener.Addr())

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
	server.Close()
}
