//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
)

// The program's own init functions and package variables may be traced, and
// they run after this.
func init() {
	messages = newSink(os.Stderr, false)
	if isPrivileged() {
		forbid()
		return
	}
	c, err := readConfig(os.Getenv)
	settings, settingsError = c, err
	initProbe()
	if err == nil && c.mode != modeOff {
		err = begin()
	}
	if err != nil {
		fail(err)
	}
	if c.mode == modeOff {
		off.Store(true)
	}
	if settingsError == nil && c.signal != "" {
		if err := toggleOn(c.signal); err != nil {
			say(err.Error())
		}
	}
}

var (
	settingsError error // what is wrong with the settings
	begun         bool  // the output is open
)

// begin opens the output that the settings ask for.
func begin() (err error) {
	if settings.mode == modeText {
		printer.depth = settings.depth
		printer.sink, err = openSink(settings.out, settings.maxSize)
		begun = err == nil
		return err
	}
	initClock()
	if err := openTrace(); err != nil {
		return err
	}
	minDuration = toTicks(settings.minDuration)
	recordsAll = fast && minDuration == 0 && !raceDetector
	asksSystem = recordsAll && !counter
	recording, begun = true, true
	return nil
}

// openTrace begins the file of a recording, and has it followed if it is to be sent.
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

// fail ends tracing and says why, once.
func fail(err error) {
	if !off.Swap(true) {
		say(err.Error() + "; tracing is off")
	}
}

// messages is standard error as it was at the start: if the program has opened another file under
// its number, that file gets no messages.
var messages *sink

// say prints a message. It goes out as lines do: writing to a closed pipe,
// os.Stderr.WriteString would have SIGPIPE end the program.
func say(message string) {
	p := newPrinting()
	p.line = []byte("functrace: " + visible(message) + "\n")
	messages.put(p) // there is nowhere to report a failure
}
