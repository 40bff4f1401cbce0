// Package api serves the shop over HTTP.
package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"example.com/faults/shop/faults"
	"example.com/faults/shop/store"
	"example.com/faults/shop/workers"
)

// Server handles requests.
type Server struct {
	store *store.Store
	pool  *workers.Pool
}

// New returns the routes of the shop.
func New(store *store.Store, pool *workers.Pool) http.Handler {
	server := &Server{store, pool}
	mux := http.NewServeMux()
	mux.HandleFunc("/items", server.search)
	mux.HandleFunc("/order", server.order)
	mux.HandleFunc("/refund", server.refund)
	mux.HandleFunc("/report", server.report)
	mux.HandleFunc("/fault", server.fault)
	return mux
}

func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	found := s.store.Search(r.FormValue("text"))
	if len(found) > 10 {
		found = found[:10]
	}
	reply(w, found, nil)
}

func (s *Server) order(w http.ResponseWriter, r *http.Request) {
	order, err := s.place(number(r, "item"), number(r, "count"), r.FormValue("card"))
	reply(w, order, err)
}

func (s *Server) refund(w http.ResponseWriter, r *http.Request) {
	order, err := s.giveBack(number(r, "order"), r.FormValue("card"))
	reply(w, order, err)
}

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	reply(w, s.history(number(r, "pages")), nil)
}

func (s *Server) fault(w http.ResponseWriter, r *http.Request) {
	share, err := strconv.ParseFloat(r.FormValue("share"), 64)
	if err == nil {
		err = faults.Set(r.FormValue("name"), share)
	}
	reply(w, r.FormValue("name"), err)
}

func number(r *http.Request, key string) int {
	found, _ := strconv.Atoi(r.FormValue(key))
	return found
}

func reply(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	json.NewEncoder(w).Encode(value)
}
