//go:build trace && go1.21 && !unix

package functrace

import (
	"errors"
	"os"
)

// An output is an open file of the recorder.
type output struct {
	*os.File
	path string
}

func openOutput(path string, flags int) (*output, error) {
	file, err := os.OpenFile(path, flags, newFileMode(path))
	if err != nil {
		return nil, err
	}
	return &output{file, path}, nil
}

// openStream fails: the system has no numbered descriptors.
func openStream(int) (*output, error) {
	return nil, errors.New("this system does not number open files")
}

// mapPart fails: the system cannot map files.
func (o *output) mapPart(int64, int) ([]byte, error) {
	return nil, errors.New("traces can only be recorded on Unix systems; use FUNCTRACE=text")
}

// remove deletes the file and closes it.
func (o *output) remove() {
	o.Close()
	os.Remove(o.path)
}

// readFile returns the contents of a file.
func readFile(path string) (string, error) {
	content, err := os.ReadFile(path)
	return string(content), err
}
