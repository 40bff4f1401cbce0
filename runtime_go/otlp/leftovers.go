package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Traces that programs record for their sender alone.
var liveTrace = regexp.MustCompile(`^functrace-otlp-(\d+)-\w+\.ftrace$`)

// A program may have made its trace, and its sender not have come to lock it.
const oldAge = time.Hour

// removeStale deletes what killed senders of this user have left in the folder, unless it is in use.
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
