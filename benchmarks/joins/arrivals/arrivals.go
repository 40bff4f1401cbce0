// Package arrivals notes which request arrived with which trace id.
//
// The caller says in the query which request it acts for: that is the truth. What the traceparent header says is what a tool
// believes.
package arrivals

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// A Log keeps the arrivals of a service.
type Log struct {
	mu       sync.Mutex
	arrivals [][3]string
}

// Note adds a request and returns the truth.
func (l *Log) Note(r *http.Request) (truth string) {
	truth = r.URL.Query().Get("truth")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals = append(l.arrivals, [3]string{r.URL.Path, truth, r.Header.Get("Traceparent")})
	return truth
}

// WriteAtTheEnd writes the arrivals to the file at path when the service is asked to end, and ends it by stop.
func (l *Log) WriteAtTheEnd(path string, stop func()) {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGTERM)
	<-ends
	if err := l.write(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	stop()
}

func (l *Log) write(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	l.mu.Lock()
	for _, arrival := range l.arrivals {
		fmt.Fprintf(out, "%s %s %s\n", arrival[0], arrival[1], arrival[2])
	}
	l.mu.Unlock()
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}
