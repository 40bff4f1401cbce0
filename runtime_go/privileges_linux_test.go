//go:build trace

package functrace_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"functrace"
)

func init() {
	programs["privileged"] = func() {
		a()
		fmt.Println(os.Geteuid(), os.Getegid(), functrace.Start())
	}
}

const nobody = 65534

// The settings come from the user who starts the program and lacks its write permissions.
func TestSetuidProgramIgnoresEnvironment(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a program that runs as root")
	}
	folder := t.TempDir()
	const reason = "the program has the rights of another user or group (setuid or setgid)"
	for _, bit := range []os.FileMode{os.ModeSetuid, os.ModeSetgid, os.ModeSetuid | os.ModeSetgid} {
		path := privilegedCopy(t, bit)
		for _, setting := range []string{"FUNCTRACE=record", "FUNCTRACE=text", "FUNCTRACE=off", "FUNCTRACE="} {
			stdout, stderr := startAsNobody(t, path, setting, "FUNCTRACE_OUT="+folder+"/x")
			if !strings.HasSuffix(stdout, reason+"\n") {
				t.Errorf("%v, %s: %q", bit, setting, stdout)
			}
			want := ""
			if setting == "FUNCTRACE=record" || setting == "FUNCTRACE=text" {
				want = "functrace: " + reason + "; tracing is off\n"
			}
			expect(t, stderr, want)
		}
	}
	if found, _ := filepath.Glob(folder + "/*"); found != nil {
		t.Error(found)
	}
}

// privilegedCopy returns a copy of the test binary that nobody may execute, with these bits.
func privilegedCopy(t *testing.T, bits os.FileMode) string {
	t.Helper()
	folder := t.TempDir()
	os.Chmod(folder, 0o755)
	os.Chmod(filepath.Dir(folder), 0o755)
	path := filepath.Join(folder, "program")
	content, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(path, content, 0o755)
	}
	if err == nil {
		err = os.Chmod(path, 0o755|bits)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func startAsNobody(t *testing.T, path string, settings ...string) (stdout, stderr string) {
	t.Helper()
	var out, messages strings.Builder
	cmd := exec.Command(path)
	cmd.Env = append(settings, "FUNCTRACE_TEST_PROGRAM=privileged")
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &out, &messages
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Run(); err != nil {
		t.Skip("another user cannot execute a program in the folder for temporary files: ", err)
	}
	if strings.HasPrefix(out.String(), fmt.Sprint(nobody, " ", nobody)) {
		t.Skip("the file system ignores the bits setuid and setgid")
	}
	return out.String(), messages.String()
}
