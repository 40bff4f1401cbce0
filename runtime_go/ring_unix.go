//go:build trace && go1.21 && unix && !linux

package functrace

import "math"

const sharedMemory = "" // it has no folder

// freeBytes returns an unlimited size: rings are in a file system on a disk.
func freeBytes(string) int64 { return math.MaxInt64 }

// isProcess returns false: the lock of the ring alone says whether its process runs.
func isProcess(int, uint64) bool { return false }

// processStart returns when recording began, in nanoseconds since 1970.
func processStart() uint64 { return uint64(startWall) }
