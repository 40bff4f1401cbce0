//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"strings"
	"time"
)

// The sender is a process that follows the trace as it is recorded and sends its calls to a
// collector. As a separate process it adds no client code to the program, and it still sends what
// was recorded before the program was killed.
const senderName = "functrace-otlp"

// startEmbedded starts the embedded sender, see embedded.go; nil if there is none.
var startEmbedded func(trace string) error

// startSender starts a sender that follows the trace at that path.
func startSender(trace string) error {
	if startEmbedded != nil {
		return startEmbedded(trace)
	}
	path, err := findSender(os.Getenv("PATH"))
	if err != nil {
		return err
	}
	process, err := startProcess(path, trace)
	if err != nil {
		return err
	}
	return waitForLaunch(process, func() {})
}

// findSender searches the absolute directories of PATH for the sender, like exec.LookPath, but
// without the imports of os/exec.
func findSender(folders string) (string, error) {
	for _, folder := range strings.Split(folders, string(os.PathListSeparator)) {
		path := folder + string(os.PathSeparator) + senderName
		isAbsolute := strings.HasPrefix(folder, string(os.PathSeparator))
		if info, err := os.Stat(path); isAbsolute && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", errors.New("there is no " + senderName + " on PATH; functrace go build --otlp makes a program that carries it")
}

// launchTimeout limits the wait for the started process. Usually it ends at once and leaves the
// sender in its own session: so the program has no child when its main function starts, and none
// that a wait for any child or a SIGCHLD handler could encounter.
const launchTimeout = 5 * time.Second

// waitForLaunch waits until the process ends. release is called then, possibly later.
func waitForLaunch(process *os.Process, release func()) (err error) {
	ended := make(chan error, 1)
	go func() {
		state, err := process.Wait()
		release()
		if err == nil && !state.Success() { // Wait fails if SIGCHLD is ignored
			ended <- errors.New(senderName + ": " + state.String())
		}
		close(ended)
	}()
	timer := time.NewTimer(launchTimeout)
	defer timer.Stop()
	select {
	case err = <-ended:
	case <-timer.C:
	}
	return err
}

// startProcess starts a sender for the trace.
func startProcess(executable, trace string) (*os.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	stderr := messages.file
	if !messages.isIntact() {
		stderr = null
	}
	return os.StartProcess(executable, []string{senderName, trace}, &os.ProcAttr{
		Env:   senderEnvironment(),
		Files: []*os.File{null, null, stderr},
	})
}

// senderEnvironment returns the program's environment with tracing of the sender itself turned
// off.
func senderEnvironment() []string {
	var environment []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "FUNCTRACE=") {
			environment = append(environment, variable)
		}
	}
	return append(environment, "FUNCTRACE=off")
}
