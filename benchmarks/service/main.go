// Command service is an HTTP JSON service as many are: it decodes an order, checks and prices it against a
// store, and encodes the result. It prints its address, and ends after a request to /quit.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"example.com/service/shop"
)

type server struct {
	store *shop.Store
	quit  chan struct{}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &server{shop.NewStore(1000), make(chan struct{})}
	web := &http.Server{Handler: s.routes()}
	fmt.Println(listener.Addr())
	go web.Serve(listener)
	<-s.quit
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = web.Shutdown(ctx)
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/orders", withLimit(withUser(s.handle(s.order))))
	mux.HandleFunc("/quit", func(http.ResponseWriter, *http.Request) { close(s.quit) })
	return mux
}

func withLimit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next.ServeHTTP(w, r)
	})
}

type userKey struct{}

func withUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := userOf(r)
		if err != nil {
			writeError(w, http.StatusUnauthorized, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, name)))
	})
}

func userOf(r *http.Request) (string, error) {
	name, found := strings.CutPrefix(r.Header.Get("Authorization"), "User ")
	if !found || name == "" {
		return "", errors.New("no user")
	}
	return name, nil
}

func (s *server) handle(f func(context.Context, *shop.Order) (*shop.Receipt, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order, err := decode(r)
		if err != nil {
			writeError(w, http.StatusBadRequest, err)
			return
		}
		receipt, err := f(r.Context(), order)
		if err != nil {
			writeError(w, http.StatusConflict, err)
			return
		}
		write(w, http.StatusOK, receipt)
	})
}

func decode(r *http.Request) (*shop.Order, error) {
	var order shop.Order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return &order, order.Validate()
}

func (s *server) order(ctx context.Context, order *shop.Order) (*shop.Receipt, error) {
	order.User = ctx.Value(userKey{}).(string)
	return s.store.Place(order)
}

func writeError(w http.ResponseWriter, status int, err error) {
	write(w, status, map[string]string{"error": err.Error()})
}

func write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
