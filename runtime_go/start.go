//go:build trace && go1.21

package functrace

import "os"

// The program's own init functions and package variables may be traced, and
// they run after this.
func init() {
	c, err := readConfig(os.Getenv)
	settings = c
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
	if err == nil && c.signal != "" {
		if err := toggleOn(c.signal); err != nil {
			say(err.Error())
		}
	}
}

// begin opens the output that the settings ask for.
func begin() (err error) {
	if settings.mode == modeText {
		printer.depth = settings.depth
		printer.sink, err = openSink(settings.out, settings.maxSize)
		return err
	}
	initClock()
	recording = true
	minDuration = toTicks(settings.minDuration)
	recordsAll = counter && minDuration == 0 && !raceDetector
	return rec.open(&settings)
}

// fail ends tracing and says why, once.
func fail(err error) {
	if !off.Swap(true) {
		say(err.Error() + "; tracing is off")
	}
}

// say tells the user something. It goes out as lines do: writing to a closed pipe,
// os.Stderr.WriteString would have SIGPIPE end the program.
func say(message string) {
	if os.Stderr == nil {
		return
	}
	p := newPrinting()
	p.line = []byte("functrace: " + message + "\n")
	newSink(os.Stderr, false).put(p) // if it fails, whom to tell?
}
