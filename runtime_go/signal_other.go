//go:build trace && go1.21 && !unix

package functrace

import "errors"

// toggleOnSignal fails: the system lacks these signals.
func toggleOnSignal(string) error {
	return errors.New("FUNCTRACE_SIGNAL: there are no such signals on this system")
}
