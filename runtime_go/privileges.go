//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
)

var errPrivileged = errors.New("the program has the rights of another user or group (setuid or setgid)")

// isPrivileged reports whether whoever started the program lacks rights that it has: the
// environment, which that user chooses, must not decide what it writes, and where.
func isPrivileged() bool {
	return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid()
}

// forbid keeps tracing off until the process ends.
func disableForProcess() {
	settingsError = errPrivileged
	if asked := os.Getenv("FUNCTRACE"); asked == "" || asked == "off" {
		off.Store(true)
		return
	}
	disableTracing(errPrivileged)
}
