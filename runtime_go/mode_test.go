//go:build trace && unix

package functrace

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFilesArePrivateUnlessTheirFolderIsShared(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	creators := map[string]func(string) error{
		"trace": func(path string) error {
			file, err := createNew(path, createAnonymous)
			if err != nil {
				return err
			}
			return file.publish()
		},
		"text": func(path string) error { _, err := openSink(path, 1<<30); return err },
	}
	for name, create := range creators {
		for _, c := range []struct {
			folder, file os.FileMode
			umask        int
		}{
			{0o777, 0o600, 0},
			{0o777 | os.ModeSetgid, 0o640, 0},
			{0o777 | os.ModeSetgid, 0o600, 0o77},
		} {
			folder := t.TempDir()
			if err := os.Chmod(folder, c.folder); err != nil {
				t.Fatal(err)
			}
			syscall.Umask(c.umask)
			path := filepath.Join(folder, "calls.ftrace")
			err := create(path)
			syscall.Umask(0)
			if err != nil {
				t.Fatal(err)
			}
			if info, _ := os.Stat(path); info.Mode() != c.file {
				t.Errorf("%s in a folder of mode %v with umask %#o: %v, not %v", name, c.folder, c.umask, info.Mode(), c.file)
			}
		}
	}
}
