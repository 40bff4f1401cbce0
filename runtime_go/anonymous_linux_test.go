//go:build trace

package functrace_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// A program that is killed while it starts leaves no trace that cannot be read: its folder is
// inspected before and after every system call.
func TestTraceAppearsOnceReadable(t *testing.T) {
	folder := t.TempDir()
	runtime.LockOSThread() // that alone may step the program
	defer runtime.UnlockOSThread()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FUNCTRACE_TEST_PROGRAM=chain", "FUNCTRACE=record", "FUNCTRACE_OUT="+folder+"/x.ftrace")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skip("the system does not let a test step a program: ", err)
	}
	stops := 0
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(cmd.Process.Pid, &status, 0, nil); err != nil {
			t.Fatal(err)
		}
		if !status.Stopped() {
			break
		}
		stops++
		expectReadable(t, folder)
		signal := int(status.StopSignal())
		if signal == int(syscall.SIGTRAP) {
			signal = 0
		}
		if err := syscall.PtraceSyscall(cmd.Process.Pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	if !status.Exited() || status.ExitStatus() != 0 || stops < 20 {
		t.Errorf("status %x after %d stops", int(status), stops)
	}
	expect(t, decode(t, folder+"/x.ftrace").main().String(), recordedChain)
}

func expectReadable(t *testing.T, folder string) {
	t.Helper()
	found, _ := filepath.Glob(folder + "/*")
	for _, path := range found {
		if content := read(t, path); len(content) < 4096 || !strings.HasPrefix(content, "FTRACE\r\n") {
			t.Fatalf("%s has %d bytes", path, len(content))
		}
	}
}
