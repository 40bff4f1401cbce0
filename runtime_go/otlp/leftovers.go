package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Names of traces that programs write for their sender only.
var liveTrace = regexp.MustCompile(`^functrace-otlp-(\d+)-\w+\.ftrace$`)

// minAge protects a trace whose sender has not locked it yet.
const minAge = time.Hour

// removeStale deletes the traces that killed senders of this user left in a directory.
func removeStale(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		match := liveTrace.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		if pid, err := strconv.Atoi(match[1]); err == nil && !isAlive(pid) {
			removeUnlocked(filepath.Join(folder, entry.Name()))
		}
	}
}
