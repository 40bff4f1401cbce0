//go:build trace && otlp && go1.21

package functrace

import (
	_ "embed"
	"errors"
	"os"
	"strings"
)

// The sender binary for the target system. functrace go build --otlp puts it here. It is not
// compressed: that would save two thirds of its size, but delay each start by some tenths of a
// second.
//
//go:embed functrace-otlp
var embeddedSender []byte

// This runs before the init function of start.go: the go command orders files by name.
func init() { startEmbedded = startCopy }

// startCopy starts the sender from memory or, if that is not possible, from a file.
func startCopy(trace string) (err error) {
	for _, place := range []func() (*executable, error){createInMemory, createInFile} {
		var sender *executable
		if sender, err = place(); err != nil {
			continue
		}
		var process *os.Process
		if process, err = startProcess(sender.path, trace); err == nil {
			return waitForLaunch(process, sender.release)
		}
		sender.release()
	}
	return err
}

// An executable is a copy of the sender, deleted by release after the start.
type executable struct {
	path    string
	release func()
}

// createInFile copies the sender to a temporary file.
func createInFile() (*executable, error) {
	if err := checkTempDir(); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", senderName+"-*")
	if err != nil {
		return nil, err
	}
	remove := func() { os.Remove(file.Name()) }
	_, err = file.Write(embeddedSender)
	if err == nil {
		err = file.Chmod(0o700)
	}
	if closed := file.Close(); err == nil { // a file open for writing cannot be executed
		err = closed
	}
	if err != nil {
		remove()
		return nil, err
	}
	return &executable{file.Name(), remove}, nil
}

// checkTempDir rejects a directory in which another user could replace the sender before it runs.
func checkTempDir() error {
	for folder := os.TempDir(); folder != ""; folder = folder[:strings.LastIndexByte(folder, '/')] {
		info, err := os.Stat(folder)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
			return errors.New(folder + " is writable by other users; set TMPDIR to a private folder")
		}
		if !strings.Contains(folder, "/") {
			break
		}
	}
	return nil
}
