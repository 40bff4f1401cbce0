//go:build trace && go1.21

package functrace

// Protection of setuid and setgid programs.

import (
	"errors"
	"os"
)

var errPrivileged = errors.New("the program has the rights of another user or group (setuid or setgid)")

// isPrivileged reports whether the program has rights that the user who started it lacks: that
// user controls the environment, which must not decide what the program writes where.
func isPrivileged() bool {
	return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid()
}

// disableForProcess disables tracing until the process ends.
func disableForProcess() {
	settingsError = errPrivileged
	if asked := os.Getenv("FUNCTRACE"); asked == "" || asked == "off" {
		off.Store(true)
		return
	}
	disableTracing(errPrivileged)
}
