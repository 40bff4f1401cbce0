package benchmarks

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// publicTrace stands in for the runtimes that people write by hand and for
// github.com/bigwhite/functrace: the caller from runtime.Caller, the goroutine
// from runtime.Stack, the level from a locked map, the line from fmt.
func publicTrace() func() {
	pc, _, _, _ := runtime.Caller(1)
	name := runtime.FuncForPC(pc).Name()
	id := stackID()
	levelsMu.Lock()
	level := levels[id] + 1
	levels[id] = level
	levelsMu.Unlock()
	printLine(id, name, "->", level)
	return func() {
		levelsMu.Lock()
		level := levels[id]
		levels[id] = level - 1
		levelsMu.Unlock()
		printLine(id, name, "<-", level)
	}
}

var (
	levelsMu sync.Mutex
	levels   = make(map[uint64]int)
)

func printLine(id uint64, name, arrow string, level int) {
	fmt.Fprintf(io.Discard, "g[%02d]:%s%s%s\n", id, strings.Repeat("\t", level), arrow, name)
}

func stackID() uint64 {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)]
	buf = bytes.TrimPrefix(buf, []byte("goroutine "))
	digits, _, _ := bytes.Cut(buf, []byte(" "))
	id, _ := strconv.ParseUint(string(digits), 10, 64)
	return id
}
