//go:build trace && go1.21 && unix

package functrace

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// toggleOn has every signal of that name stop tracing, or start it.
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

func toggle() {
	if !off.Load() {
		Stop()
	} else if err := Start(); err != nil {
		writeMessage(err.Error())
	}
}
