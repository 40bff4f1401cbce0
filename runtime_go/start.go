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
		printer.sink, err = openSink(c.out)
	}
	if err != nil {
		fail(err)
	}
	if c.off {
		off.Store(true)
	}
	initProbe()
}

// fail ends tracing and says why, once.
func fail(err error) {
	if !off.Swap(true) {
		os.Stderr.WriteString("functrace: " + err.Error() + "; tracing is off\n")
	}
}
