// Servers and clients, one scenario a run.
package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

var scenarios = map[string]func(){
	"plain":      plain,
	"http2":      http2,
	"proxy":      proxy,
	"hijack":     hijack,
	"continues":  continues,
	"goroutines": goroutines,
	"failures":   failures,
	"streams":    streams,
	"wire":       wire,
	"kept":       kept,
	"cancels":    cancels,
	"interrupts": interrupts,
	"abandons":   abandons,
	"redirects":  redirects,
	"timeouts":   timeouts,
	"informs":    informs,
	"drops":      drops,
}

func main() {
	log.SetOutput(io.Discard)
	scenarios[os.Args[1]]()
}

// serve returns the URL of a server.
func serve(handler http.HandlerFunc) string {
	s := httptest.NewServer(handler)
	return s.URL
}

// get is a request with that context.
func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func backend() string {
	return serve(func(w http.ResponseWriter, r *http.Request) { work() })
}

func work() {}

// plain: a handler of a mux that calls another server.
func plain() {
	below := backend()
	mux := http.NewServeMux()
	mux.HandleFunc("/users/", func(w http.ResponseWriter, r *http.Request) {
		work()
		must(get(r.Context(), below+"/store?password=x"))
		w.WriteHeader(http.StatusAccepted)
	})
	must(get(context.Background(), serve(mux.ServeHTTP)+"/users/17?q=secret"))
}

func http2() {
	below := backend()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(get(r.Context(), below+"/"+r.Proto))
		switch r.URL.Path {
		case "/no":
			w.WriteHeader(http.StatusNoContent)
		case "/fail":
			http.Error(w, "fail", http.StatusBadGateway)
		case "/abort":
			panic(http.ErrAbortHandler)
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	for _, path := range []string{"/", "/no", "/fail", "/abort"} {
		if response, err := s.Client().Get(s.URL + path); err == nil {
			fmt.Println(response.Proto, response.StatusCode)
			response.Body.Close()
		}
	}
}

func proxy() {
	target, err := url.Parse(backend())
	must(err)
	front := serve(httputil.NewSingleHostReverseProxy(target).ServeHTTP)
	must(get(context.Background(), front+"/through"))
}

func hijack() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		_, isFlusher := w.(http.Flusher)
		_, isReaderFrom := w.(io.ReaderFrom)
		conn, _, err := w.(http.Hijacker).Hijack()
		must(err)
		defer conn.Close()
		fmt.Fprintf(conn, "hello %v %v\n", isFlusher, isReaderFrom)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	must(err)
	fmt.Fprint(conn, "GET /socket HTTP/1.1\r\nHost: x\r\n\r\n")
	line, _ := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(line)
	time.Sleep(10 * time.Millisecond) // the handler returns
}

// continues: a handler responds, flushes and goes on, and leaves a goroutine behind.
func continues() {
	below := backend()
	released, done := make(chan bool), make(chan bool)
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithoutCancel(r.Context())
		go func() {
			defer close(done)
			<-released
			must(get(ctx, below+"/late"))
		}()
		fmt.Fprintln(w, "answered")
		w.(http.Flusher).Flush()
		must(get(r.Context(), below+"/more"))
	})
	must(get(context.Background(), url+"/begin"))
	close(released)
	<-done
}

// goroutines: with the context, in a pool without it, in a group.
func goroutines() {
	below := backend()
	jobs, results := make(chan string), make(chan error)
	go func() {
		for url := range jobs {
			response, err := http.Get(url)
			if err == nil {
				response.Body.Close()
			}
			results <- err
		}
	}()
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		var group sync.WaitGroup
		for i := 0; i < 3; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				must(get(r.Context(), below+"/group"))
			}()
		}
		group.Wait()
		jobs <- below + "/pooled"
		must(<-results)
		must(get(context.Background(), below+"/same-goroutine"))
	})
	must(get(context.Background(), url+"/a"))
	must(get(context.Background(), below+"/alone"))
}

func failures() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fail":
			w.WriteHeader(500)
		case "/missing":
			http.NotFound(w, r)
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/panic":
			panic(errors.New("broken"))
		case "/recovered":
			defer func() { recover(); w.WriteHeader(503) }()
			panic("inside")
		case "/late-panic":
			w.WriteHeader(201)
			panic("late")
		}
	})
	for _, path := range []string{"/fail", "/missing", "/abort", "/panic", "/recovered", "/late-panic"} {
		get(context.Background(), url+path)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	free.Close()
	get(context.Background(), "http://"+free.Addr().String()+"/refused")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	get(ctx, url+"/canceled")
}

// streams: a large body in both directions, with trailers.
func streams() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		must(http.NewResponseController(w).EnableFullDuplex())
		w.Header().Set("Trailer", "X-Sum")
		n, err := io.Copy(w, r.Body)
		must(err)
		w.Header().Set("X-Sum", fmt.Sprint(n))
	})
	response, err := http.Post(url+"/echo", "text/plain", io.LimitReader(endless{}, 1<<20))
	must(err)
	n, err := io.Copy(io.Discard, response.Body)
	must(err)
	fmt.Println(n, response.Trailer.Get("X-Sum"), response.Request.URL.Path)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// wire prints the bytes of a server's answers and of a client's requests. Requests that arrive have trace
// headers; the last outbound call has its own.
func wire() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	received := make(chan string)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			var text strings.Builder
			req := bufio.NewReader(io.TeeReader(conn, &text))
			if _, err := http.ReadRequest(req); err == nil {
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}
			conn.Close()
			received <- text.String()
		}
	}()
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		for _, traceparent := range []string{"", "mine"} {
			req, err := http.NewRequestWithContext(r.Context(), "GET", "http://"+listener.Addr().String()+"/x", nil)
			must(err)
			if traceparent != "" {
				req.Header["traceparent"] = []string{traceparent}
			}
			before := len(req.Header)
			response, err := http.DefaultClient.Do(req)
			must(err)
			response.Body.Close()
			if len(req.Header) != before || response.Request != req {
				panic("the request was changed")
			}
		}
		fmt.Fprintln(w, "done")
	})
	address := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", address)
	must(err)
	fmt.Fprint(conn, "GET /in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+
		"Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nTracestate: a=1\r\n\r\n")
	first, second := <-received, <-received
	answer, err := io.ReadAll(conn)
	must(err)
	text := first + second + string(answer)
	fmt.Print(strings.ReplaceAll(text, listener.Addr().String(), "ADDRESS"))
}

// kept: connections are reused and requests reuse a header.
func kept() {
	url := backend()
	header := http.Header{"X-Own": {"1"}}
	for i := 0; i < 100; i++ {
		req, err := http.NewRequest("GET", url+"/kept", nil)
		must(err)
		req.Header = header
		response, err := http.DefaultClient.Do(req)
		must(err)
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	fmt.Println(header)
}

// cancels: a request is canceled by the deprecated method while the server handles it.
func cancels() {
	arrived, released := make(chan bool), make(chan bool)
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		arrived <- true
		<-released
	})
	req, err := http.NewRequest("GET", url+"/slow", nil)
	must(err)
	transport := &http.Transport{}
	failed := make(chan error)
	go func() {
		_, err := transport.RoundTrip(req)
		failed <- err
	}()
	<-arrived
	transport.CancelRequest(req)
	fmt.Println(<-failed)
	close(released)
}

// interrupts: requests are canceled by the deprecated method while their bodies are read, also behind gzip.
func interrupts() {
	released := make(chan bool)
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/zipped" {
			w.Header().Set("Content-Encoding", "gzip")
			zipped := gzip.NewWriter(w)
			io.WriteString(zipped, "begin")
			zipped.Flush()
		} else {
			io.WriteString(w, "begin")
		}
		w.(http.Flusher).Flush()
		select {
		case <-released:
		case <-time.After(time.Minute): // what is canceled ends before
		}
	})
	transport := &http.Transport{}
	for _, path := range []string{"/plain", "/zipped"} {
		req, err := http.NewRequest("GET", url+path, nil)
		must(err)
		response, err := transport.RoundTrip(req)
		must(err)
		io.ReadFull(response.Body, make([]byte, len("begin")))
		transport.CancelRequest(req)
		_, err = io.ReadAll(response.Body)
		fmt.Println(response.Uncompressed, err)
		response.Body.Close()
	}
	close(released)
}

// abandons: the body of a response is neither read nor closed, but the context of its request is canceled.
func abandons() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begin")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	collected := make(chan bool)
	func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", url+"/abandoned", nil)
		must(err)
		runtime.SetFinalizer(req, func(*http.Request) { close(collected) })
		_, err = http.DefaultTransport.RoundTrip(req)
		must(err)
	}()
	for i := 0; i < 500; i++ {
		runtime.GC()
		select {
		case <-collected:
			fmt.Println("collected")
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	fmt.Println("kept in memory")
}

func redirects() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/first":
			http.Redirect(w, r, "/second", http.StatusFound)
		case "/second":
			http.Redirect(w, r, "/third", http.StatusTemporaryRedirect)
		}
	})
	must(get(context.Background(), url+"/first"))
}

// timeouts: a handler that http.TimeoutHandler gives up, and goes on with a request of its own.
func timeouts() {
	below := backend()
	gaveUp, done := make(chan bool), make(chan bool)
	slow := func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		<-gaveUp
		must(get(context.WithoutCancel(r.Context()), below+"/late"))
		close(done)
	}
	url := serve(http.TimeoutHandler(http.HandlerFunc(slow), time.Millisecond, "slow").ServeHTTP)
	must(get(context.Background(), url+"/slow"))
	close(gaveUp)
	<-done
}

// informs: responses with a status 1xx before the last one.
func informs() {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusCreated)
	})
	must(get(context.Background(), url+"/hints"))
}

// drops: the server closes a kept connection without an answer, and the transport sends the request again.
func drops() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for connections := 0; ; connections++ {
			conn, err := listener.Accept()
			must(err)
			go answer(conn, connections == 0)
		}
	}()
	for i := 0; i < 2; i++ {
		must(get(context.Background(), "http://"+listener.Addr().String()+"/again"))
	}
}

// answer answers requests; where isDropped, only the first one.
func answer(conn net.Conn, isDropped bool) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		if isDropped {
			http.ReadRequest(reader)
			return
		}
	}
}
