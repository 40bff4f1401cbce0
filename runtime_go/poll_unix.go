//go:build trace && go1.21 && unix && !linux

package functrace

import "runtime"

// waitUntilWritable yields to other goroutines: package syscall has no portable poll(2).
func waitUntilWritable(int) { runtime.Gosched() }
