//go:build trace && !unix

package functrace_test

import "os"

func kill() { os.Exit(137) }

func interrupt() {}
