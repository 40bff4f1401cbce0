//go:build trace && go1.21

package functrace

import (
	"math"
	"strconv"
	"syscall"
)

const sharedMemory = "/dev/shm"

// freeBytes returns the space for this user in the file system of a folder.
func freeBytes(folder string) int64 {
	var stat syscall.Statfs_t
	if syscall.Statfs(folder, &stat) != nil || stat.Blocks == 0 {
		return math.MaxInt64 // a tmpfs may have no limit
	}
	return int64(stat.Bavail) * int64(stat.Bsize)
}

// isProcess reports whether the process with that id and start still runs.
func isProcess(pid int, start uint64) bool {
	fields := statFields(strconv.Itoa(pid))
	return len(fields) > startField && fields[0] != "Z" && fields[0] != "X" &&
		fields[startField] == strconv.FormatUint(start, 10)
}

// processStart returns when this process started, in the unit of /proc.
func processStart() uint64 {
	fields := statFields("self")
	if len(fields) <= startField {
		return uint64(startWall)
	}
	start, _ := strconv.ParseUint(fields[startField], 10, 64)
	return start
}
