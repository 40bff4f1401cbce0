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
	between  = 100 * time.Millisecond // rounds
	longest  = time.Second            // that spans wait for others to go with
	patience = 10 * time.Second       // with a collector that takes nothing when the program has ended
)

// run follows a file until its program has ended, and returns the exit status.
func run(path string) int {
	defer removeOwn(path)
	// The words for the terminal are for the program.
	signal.Ignore(os.Interrupt, syscall.SIGHUP)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	options, err := spans.Parse(os.Getenv)
	if err != nil {
		say("%v", err)
		return 2
	}
	client, err := send.Connect(os.Getenv)
	if err != nil {
		say("%v", err)
		return 2
	}
	file, err := follow.Open(path)
	if err != nil {
		say("%s: %v", path, err)
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
	failure := guarded(func() error { return pipeline.follow(terminated) })
	sender.Last(lastWait())
	if failure == nil {
		failure = guarded(pipeline.end)
	}
	tally := sender.Close()
	removeOwn(path) // before anything is said: who reads that may have gone
	if failure != nil {
		say("%s: %v", path, failure)
	}
	if words := tally.LastWords(file.Lost.Events); words != "" {
		say("%s", words)
		return 1
	}
	return 0
}

// guarded turns a mistake of this command's own into a sentence: the terminal is the program's.
func guarded(act func() error) (err error) {
	defer func() {
		if mistake := recover(); mistake != nil {
			err = fmt.Errorf("it cannot be followed: %v", mistake)
		}
	}()
	return act()
}

// removeOwn removes a file that a program has made for this command alone; a recording stays.
func removeOwn(path string) {
	if isOwn(path) {
		os.Remove(path)
	}
}

func isOwn(path string) bool { return strings.HasPrefix(filepath.Base(path), "functrace-otlp-") }

// A pipeline makes spans of what comes to be in the file.
type pipeline struct {
	file    *follow.Follower
	calls   *calls.Calls
	maker   *spans.Maker
	flushed time.Time
}

func newPipeline(file *follow.Follower, options spans.Options, take func(spans.Batch)) *pipeline {
	maker := spans.New(file, options, take)
	identity := func() ids.Identity { return spans.Identity(&file.Facts, &file.Header) }
	return &pipeline{
		file:    file,
		calls:   calls.New(file, identity, maker),
		maker:   maker,
		flushed: time.Now(),
	}
}

// follow goes on until the program has ended, or somebody ends this process.
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
		case len(read.Pieces) == 0: // there may be many goroutines that wait, each with its chunk
			pause.Reset(max(between, 4*time.Since(begun)))
		default:
			pause.Reset(between)
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
	if time.Since(p.flushed) >= longest {
		p.maker.Flush()
		p.flushed = time.Now()
	}
	return read, nil
}

// end sends what is left.
func (p *pipeline) end() error {
	for isMore := true; isMore; {
		read, err := p.round(true)
		if err != nil {
			return err
		}
		isMore = read.More
	}
	p.calls.Finish(p.file.Last())
	p.maker.Flush()
	return nil
}

// lastWait is how long a collector may take nothing when the program has ended.
func lastWait() time.Duration {
	if ms, err := strconv.Atoi(os.Getenv("OTEL_BSP_EXPORT_TIMEOUT")); err == nil && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return patience
}
