//go:build trace && go1.21

package functrace

// Start-up of the runtime, and its messages.

import (
	"errors"
	"os"
)

// init starts tracing before the program's own init functions and package variables, which may be
// traced.
func init() {
	messages = newSink(os.Stderr, false)
	if isPrivileged() {
		disableForProcess()
		return
	}
	c, err := readConfig(os.Getenv)
	settings, settingsError = c, err
	initProbe()
	if err == nil && c.mode != modeOff {
		err = openConfiguredOutput()
	}
	if err != nil {
		disableTracing(err)
	}
	if c.mode == modeOff {
		off.Store(true)
	}
	if settingsError == nil && c.signal != "" {
		if err := toggleOnSignal(c.signal); err != nil {
			writeMessage(err.Error())
		}
	}
}

var (
	settingsError error // the error in the settings
	isOutputOpen  bool  // the output is open
)

// openConfiguredOutput opens the output that the settings specify.
func openConfiguredOutput() (err error) {
	if settings.mode == modeText {
		printer.depth = settings.depth
		printer.sink, err = openSink(settings.out, settings.maxSize)
		isOutputOpen = err == nil
		return err
	}
	initClock()
	newIdentity()
	if err := openTrace(); err != nil {
		return err
	}
	minDuration = toTicks(settings.minDuration)
	usesFastPath = fast && minDuration == 0 && !raceDetector
	usesSystemTicks = usesFastPath && !counter
	recording, isOutputOpen = true, true
	startRequests()
	return nil
}

// openTrace starts the trace file, and a sender in mode otlp.
func openTrace() error {
	err := rec.open(&settings)
	if settings.mode != modeLive {
		return err
	}
	if err == nil {
		if err = startSender(rec.file.path); err != nil {
			rec.discard()
		}
	}
	if err != nil {
		err = errors.New("FUNCTRACE=otlp: " + err.Error())
	}
	return err
}

// disableTracing turns tracing off and reports the reason once.
func disableTracing(err error) {
	if !off.Swap(true) {
		writeMessage(err.Error() + "; tracing is off")
	}
}

// messages is standard error as it was at the start. A file that the program opens later under
// the same descriptor number gets no messages.
var messages *sink

// writeMessage prints a message. It is written like a line of text output: after an error on a
// closed pipe, os.Stderr.WriteString would end the program with SIGPIPE.
func writeMessage(message string) {
	p := newPrinting()
	p.line = []byte("functrace: " + escape(message) + "\n")
	messages.put(p) // there is nowhere to report a failure
}
