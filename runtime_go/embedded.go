//go:build trace && otlp && go1.21

package functrace

import (
	_ "embed"
	"errors"
	"os"
	"strings"
)

// The sender for the system that the program is built for: functrace go build --otlp puts it
// here. Compressed it would be a third as large, but the program would wait for some tenths of a
// second at its start.
//
//go:embed functrace-otlp
var embeddedSender []byte

// This runs before the init function of start.go: the go command orders files by their names.
func init() { startEmbedded = startCopy }

// startCopy starts the sender from memory, and where that is not possible from a file.
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

// An executable is what release deletes when it has been started.
type executable struct {
	path    string
	release func()
}

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
	if closed := file.Close(); err == nil { // nothing runs that is open for writing
		err = closed
	}
	if err != nil {
		remove()
		return nil, err
	}
	return &executable{file.Name(), remove}, nil
}

// checkTempDir refuses a folder in which another user could replace the sender before it is run.
func checkTempDir() error {
	for folder := os.TempDir(); folder != ""; folder = folder[:strings.LastIndexByte(folder, '/')] {
		info, err := os.Stat(folder)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
			return errors.New(folder + " can be written to by other users; set TMPDIR to a private folder")
		}
		if !strings.Contains(folder, "/") {
			break
		}
	}
	return nil
}
