// Command gateway takes orders over HTTP, has them paid by the service payments, and prints its
// address. MESH_HOSTS has the addresses of other services: payments=127.0.0.1:8080. SIGTERM ends it.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/checkout", serveCheckout)
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	fmt.Println(listener.Addr())

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
	server.Shutdown(context.Background())
}

func serveCheckout(w http.ResponseWriter, r *http.Request) {
	if err := checkout(r.Context(), r.URL.Query().Get("order")); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, "paid")
}
