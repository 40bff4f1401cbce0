//go:build trace && go1.21

package functrace

import "os"

// The program's own init functions and package variables may be traced, and
// they run after this.
func init() {
	c, err := readConfig(os.Getenv)
	settings = c
	if err == nil && !c.off {
		printer.depth = c.depth
		printer.sink, err = openSink(c.out, c.maxSize)
	}
	if err != nil {
		fail(err)
	}
	if c.off {
		off.Store(true)
	}
	initProbe()
}

// fail ends tracing and says why, once. The message goes out as lines do: writing
// to a closed pipe, os.Stderr.WriteString would have SIGPIPE end the program.
func fail(err error) {
	if off.Swap(true) || os.Stderr == nil {
		return
	}
	message := newTrack(0, place{})
	message.line = []byte("functrace: " + err.Error() + "; tracing is off\n")
	newSink(os.Stderr, false).put(message) // if it fails, whom to tell?
}
