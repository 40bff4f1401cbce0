//go:build trace && go1.21 && unix && !linux

package functrace

import "runtime"

// awaitWritable lets others run: package syscall has no portable poll(2).
func waitUntilWritable(int) { runtime.Gosched() }
