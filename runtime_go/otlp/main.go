// Command functrace-otlp sends the calls of a running program to an OpenTelemetry collector. It follows
// the trace file that the program writes. A program with FUNCTRACE=otlp starts it; see docs/otlp.md.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"functrace/otlp/internal/send"
)

const usage = "usage: functrace-otlp [--foreground] FILE"

// Options before the file.
const (
	foreground = "--foreground"
	detached   = "--detached"
)

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 1 && arguments[0] != foreground && arguments[0] != detached:
		if err := detach(detached, arguments[0]); err != nil {
			reportError("%v", err)
			os.Exit(1)
		}
	case len(arguments) == 2 && (arguments[0] == foreground || arguments[0] == detached):
		if arguments[0] == detached {
			lowerPriority()
		}
		limitResources()
		os.Exit(run(arguments[1]))
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}

// limitResources keeps the sender small next to the program.
func limitResources() {
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(128 << 20)
}

func reportError(format string, values ...any) {
	message := send.Redact(fmt.Sprintf(format, values...), os.Getenv)
	fmt.Fprintln(os.Stderr, "functrace: otlp: "+send.Escape(message))
}
