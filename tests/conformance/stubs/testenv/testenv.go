// Package testenv stands in for the internal one, for a machine that can run programs.
package testenv

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func Builder() string { return "" }

func HasGoBuild() bool { return true }

func HasExec() bool { return true }

func HasSrc() bool { return true }

func HasSymlink() bool { return true }

func HasLink() bool { return true }

func HasExternalNetwork() bool { return false }

func HasParallelism() bool { return runtime.NumCPU() > 1 }

func CPUIsSlow() bool { return false }

func OptimizationOff() bool { return false }

func MustHaveGoBuild(testing.TB) {}

func MustHaveGoRun(testing.TB) {}

func MustHaveExec(testing.TB) {}

func MustHaveSource(testing.TB) {}

func MustHaveSymlink(testing.TB) {}

func MustHaveLink(testing.TB) {}

func MustHaveParallelism(testing.TB) {}

func MustHaveCGO(t testing.TB) { t.Skip("no cgo") }

func MustHaveExternalNetwork(t testing.TB) { t.Skip("no network") }

func MustInternalLink(testing.TB, ...any) {}

func SkipFlaky(t testing.TB, issue int) { t.Skipf("flaky, golang.org/issue/%d", issue) }

func SkipIfShortAndSlow(testing.TB) {}

func SkipIfOptimizationOff(testing.TB) {}

func GoToolPath(testing.TB) string {
	path, err := exec.LookPath("go")
	if err != nil {
		panic(err)
	}
	return path
}

func Executable(t testing.TB) string {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func Command(t testing.TB, name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }

func CleanCmdEnv(cmd *exec.Cmd) *exec.Cmd {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GODEBUG=") && !strings.HasPrefix(v, "GOTRACEBACK=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

func ParallelOn64Bit(t *testing.T) { t.Parallel() }

func GOROOT(testing.TB) string { return runtime.GOROOT() }

func SetGODEBUG(t testing.TB, s string) { t.Setenv("GODEBUG", s) }
