package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	resource "go.opentelemetry.io/proto/otlp/resource/v1"

	"functrace/otlp/internal/calls"
	"functrace/otlp/internal/follow"
	"functrace/otlp/internal/ids"
	"functrace/otlp/internal/send"
	"functrace/otlp/internal/spans"
)

const (
	roundInterval = 100 * time.Millisecond
	flushInterval = time.Second      // after which an incomplete batch is sent
	defaultWait   = 10 * time.Second // for a collector that accepts nothing after the program's end
)

// run follows a file until its program has ended, and returns the exit status.
func run(path string) int {
	defer removeOwn(path)
	// Signals from the terminal are meant for the program.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	options, err := spans.Parse(os.Getenv)
	if err != nil {
		reportError("%v", err)
		return 2
	}
	client, err := send.Connect(os.Getenv)
	if err != nil {
		reportError("%v", err)
		return 2
	}
	file, err := follow.Open(path)
	if err != nil {
		reportError("%s: %v", path, err)
		return 1
	}
	defer file.Close()
	if isOwn(path) {
		defer lock(path).Close()
		removeStale(filepath.Dir(path))
	}
	sender := send.New(client, func() *resource.Resource {
		return spans.Resource(file, path, os.Getenv)
	})
	pipeline := newPipeline(file, options, sender.Send)
	failure := recovering(func() error { return pipeline.follow(terminated) })
	sender.End(endWait())
	if failure == nil {
		failure = recovering(pipeline.end)
	}
	tally := sender.Close()
	removeOwn(path) // before any output: the reader of standard error may be gone
	if failure != nil {
		reportError("%s: %v", path, failure)
	}
	if summary := tally.Summary(file.Lost.Events, pipeline.maker.WithoutEnd); summary != "" {
		reportError("%s", summary)
		return 1
	}
	return 0
}

// recovering turns a panic into an error: a stack trace does not belong on the program's terminal.
func recovering(act func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("internal error: %v", cause)
		}
	}()
	return act()
}

// removeOwn removes a file that a program made for its sender only; a recording stays.
func removeOwn(path string) {
	if isOwn(path) {
		os.Remove(path)
	}
}

func isOwn(path string) bool { return strings.HasPrefix(filepath.Base(path), "functrace-otlp-") }

// A pipeline turns the file's contents into spans.
type pipeline struct {
	file    *follow.Follower
	calls   *calls.Calls
	maker   *spans.Maker
	flushed time.Time
}

func newPipeline(file *follow.Follower, options spans.Options, send func(spans.Batch)) *pipeline {
	maker := spans.New(file, options, send)
	identity := func() ids.Identity { return spans.Identity(&file.Facts, &file.Header) }
	return &pipeline{
		file:    file,
		calls:   calls.New(file, identity, maker),
		maker:   maker,
		flushed: time.Now(),
	}
}

// follow runs until the program has ended or this process is terminated.
func (p *pipeline) follow(terminated <-chan os.Signal) error {
	ending := p.file.Ending()
	defer ending.Close()
	pause := time.NewTimer(0)
	for {
		select {
		case <-terminated:
			return nil
		case <-pause.C:
		}
		begun := time.Now()
		read, err := p.round(false)
		if err != nil || ending.HasCome() {
			return err
		}
		switch {
		case read.More:
			pause.Reset(0)
		case len(read.Pieces) == 0: // looking at the chunks of many idle goroutines takes time
			pause.Reset(max(roundInterval, 4*time.Since(begun)))
		default:
			pause.Reset(roundInterval)
		}
	}
}

func (p *pipeline) round(isLast bool) (follow.Read, error) {
	read, err := p.file.Round(isLast)
	if err != nil {
		return read, err
	}
	p.calls.Add(read.Pieces)
	p.calls.Advance(read.Until)
	if time.Since(p.flushed) >= flushInterval {
		p.maker.Flush()
		p.flushed = time.Now()
	}
	return read, nil
}

// end processes the rest of the file.
func (p *pipeline) end() error {
	for hasMore := true; hasMore; {
		read, err := p.round(true)
		if err != nil {
			return err
		}
		hasMore = read.More
	}
	p.calls.Finish(p.file.Last())
	p.maker.Flush()
	return nil
}

// endWait returns how long a collector may accept nothing after the program's end.
func endWait() time.Duration {
	if ms, err := strconv.Atoi(os.Getenv("OTEL_BSP_EXPORT_TIMEOUT")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return defaultWait
}
