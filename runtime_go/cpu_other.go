//go:build trace && go1.21 && !unix

package functrace

import "time"

// cpuTime returns the time since the start, as if the process had always used one processor.
//
//go:norace
func cpuTime() time.Duration { return time.Since(startTime) }
