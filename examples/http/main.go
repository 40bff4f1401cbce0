// Command shop serves orders and invoices, asks itself for a few of them over
// HTTP, and ends. Both handlers share store.Get, which fails for one id: which
// chain was it? With the argument load it asks and asks until it is stopped.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"example.com/shop/store"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go http.Serve(listener, routes())
	if len(os.Args) > 1 && os.Args[1] == "load" {
		load("http://" + listener.Addr().String())
	}
	for _, path := range []string{"/order?id=7", "/invoice?id=7", "/invoice?id=13"} {
		fmt.Printf("GET %s: %s\n", path, get("http://"+listener.Addr().String()+path))
	}
}

// load has four clients order and invoice items for ever; one item in twenty is locked.
func load(server string) {
	for client := 0; client < 4; client++ {
		go func(id int) {
			for ; ; id++ {
				get(fmt.Sprintf("%s/order?id=%d", server, id%10))
				get(fmt.Sprintf("%s/invoice?id=%d", server, id%20))
			}
		}(client)
	}
	select {}
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/order", order)
	mux.HandleFunc("/invoice", invoice)
	return mux
}

func order(w http.ResponseWriter, r *http.Request) {
	item, err := store.Get(r.FormValue("id"))
	reply(w, item, err)
}

func invoice(w http.ResponseWriter, r *http.Request) {
	total, err := price(r.FormValue("id"))
	reply(w, total, err)
}

func price(id string) (string, error) {
	item, err := store.Get(id)
	if err != nil {
		return "", fmt.Errorf("no price: %w", err)
	}
	return item + " for 5.00", nil
}

func reply(w http.ResponseWriter, text string, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	fmt.Fprint(w, text)
}

func fail(w http.ResponseWriter, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.Status + " " + string(body)
}
