//go:build trace && go1.21 && unix

package functrace

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// toggleOnSignal toggles tracing at every signal of that name.
func toggleOnSignal(name string) error {
	signals := map[string]os.Signal{"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2}
	s, ok := signals[name]
	if !ok {
		return errors.New("FUNCTRACE_SIGNAL=" + name + " is neither USR1 nor USR2")
	}
	received := make(chan os.Signal, 1)
	signal.Notify(received, s)
	go func() {
		for range received {
			toggle()
		}
	}()
	return nil
}

// toggle stops tracing, or starts it.
func toggle() {
	if !off.Load() {
		Stop()
	} else if err := Start(); err != nil {
		writeMessage(err.Error())
	}
}
