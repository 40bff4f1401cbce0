//go:build trace && go1.21

package functrace

import (
	"errors"
	"os"
	"strings"
	"time"
)

// The sender follows a trace as it is recorded and sends its calls to a collector. It is another
// process: the program loads no client of any protocol, and what was recorded before it was
// killed is sent as well.
const senderName = "functrace-otlp"

// startCarried starts the sender that the program carries, see embedded.go; nil if it has none.
var startEmbedded func(trace string) error

// startSender has a sender follow the trace at that path.
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

// findSender does what exec.LookPath would, without what os/exec imports.
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

// patience is how long a program waits for the process that it starts. Usually that one ends at
// once and leaves the sender in a session of its own: so a program has no child when its main
// begins, and none that a wait for any child, or a handler of SIGCHLD, could meet.
const launchTimeout = 5 * time.Second

// await lets the process end; release is called then, maybe later.
func waitForLaunch(process *os.Process, release func()) (err error) {
	ended := make(chan error, 1)
	go func() {
		state, err := process.Wait()
		release()
		if err == nil && !state.Success() { // there is an error where SIGCHLD is ignored
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

// senderEnvironment is the program's, but that the sender does not trace itself.
func senderEnvironment() []string {
	var environment []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "FUNCTRACE=") {
			environment = append(environment, variable)
		}
	}
	return append(environment, "FUNCTRACE=off")
}
