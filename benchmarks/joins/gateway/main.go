// Command gateway answers each checkout with two requests of its own. A pool of workers sends the payment, and a
// new goroutine sends the reservation. Its arguments are ADDRESS PAYMENTS STORE ARRIVALS.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"example.com/joins/arrivals"
)

const workers = 64

// A job is a request that a worker sends on behalf of another one.
type job struct {
	ctx   context.Context
	truth string
	done  chan error
}

type gateway struct {
	payments, store string
	jobs            chan job
	log             arrivals.Log
}

func main() {
	g := &gateway{payments: os.Args[2], store: os.Args[3], jobs: make(chan job)}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = workers
	http.DefaultTransport.(*http.Transport).MaxConnsPerHost = 4 * workers
	for i := 0; i < workers; i++ {
		go g.work()
	}
	http.HandleFunc("/checkout", g.checkout)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := &http.Server{}
	go g.log.WriteAtTheEnd(os.Args[4], func() { server.Close() })
	server.Serve(listener)
}

func (g *gateway) checkout(w http.ResponseWriter, r *http.Request) {
	truth := g.log.Note(r)
	paid, reserved := make(chan error, 1), make(chan error, 1)
	g.jobs <- job{r.Context(), truth, paid}
	go func() { reserved <- post(r.Context(), g.store+"/reserve?truth="+truth) }()
	for _, result := range []chan error{paid, reserved} {
		if err := <-result; err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
}

// work pays on behalf of a request, and audits on behalf of nobody: without its context.
func (g *gateway) work() {
	for j := range g.jobs {
		err := post(j.ctx, g.payments+"/pay?truth="+j.truth)
		if err == nil {
			err = post(context.Background(), g.store+"/audit?truth="+j.truth)
		}
		j.done <- err
	}
}

func post(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
