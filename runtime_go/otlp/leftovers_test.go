//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestRemoveStaleRemovesOnlyLeftovers(t *testing.T) {
	folder := t.TempDir()
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	endedPID := ended.Process.Pid
	old := time.Now().Add(-2 * minAge)
	create := func(name string, at time.Time) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stale := create(fmt.Sprintf("functrace-otlp-%d-12ab.ftrace", endedPID), old)
	locked := create(fmt.Sprintf("functrace-otlp-%d-34cd.ftrace", endedPID), old)
	defer lock(locked).Close()
	kept := []string{
		locked,
		create(fmt.Sprintf("functrace-otlp-%d-56ef.ftrace", endedPID), time.Now()),
		create(fmt.Sprintf("functrace-otlp-%d-78ab.ftrace", os.Getpid()), old),
		create(fmt.Sprintf("functrace-%d.ftrace", endedPID), old),
	}
	link := filepath.Join(folder, fmt.Sprintf("functrace-otlp-%d-90cd.ftrace", endedPID))
	if err := os.Symlink(kept[3], link); err != nil {
		t.Fatal(err)
	}
	removeStale(folder)
	if _, err := os.Lstat(stale); !os.IsNotExist(err) {
		t.Errorf("%s is still there", stale)
	}
	for _, path := range append(kept, link) {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}
