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
	creators := map[string]func(string) (*os.File, error){
		"trace": createNew,
		"text": func(path string) (*os.File, error) {
			s, err := openSink(path, 1<<30)
			if err != nil {
				return nil, err
			}
			return s.file, nil
		},
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
			file, err := create(filepath.Join(folder, "calls.ftrace"))
			syscall.Umask(0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if info, _ := file.Stat(); info.Mode() != c.file {
				t.Errorf("%s in a folder of mode %v with umask %#o: %v, not %v", name, c.folder, c.umask, info.Mode(), c.file)
			}
		}
	}
}
