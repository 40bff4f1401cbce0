// Command functrace-otlp sends the calls of a program to an OpenTelemetry collector while the program
// runs: it follows the trace file that the program writes. The program starts it itself, where
// FUNCTRACE=otlp says so; docs/otlp.md has the rest.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"functrace/otlp/internal/send"
)

const usage = "usage: functrace-otlp [--foreground] FILE"

// Arguments in front of the file.
const (
	inForeground = "--foreground"
	isDetached   = "--detached"
)

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 1 && arguments[0] != inForeground && arguments[0] != isDetached:
		if err := detach(isDetached, arguments[0]); err != nil {
			say("%v", err)
			os.Exit(1)
		}
	case len(arguments) == 2 && (arguments[0] == inForeground || arguments[0] == isDetached):
		if arguments[0] == isDetached {
			beNice()
		}
		bound()
		os.Exit(run(arguments[1]))
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}

// bound keeps the command small beside the program.
func bound() {
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(80 << 20)
}

func say(format string, told ...any) {
	message := send.Redact(fmt.Sprintf(format, told...), os.Getenv)
	fmt.Fprintln(os.Stderr, "functrace: otlp: "+send.Visible(message))
}
