//go:build trace

package functrace

import (
	"os"
	"testing"
)

func TestStatxAndFstatAgree(t *testing.T) {
	for _, path := range []string{os.DevNull, "/proc/self/status", t.TempDir(), os.Args[0]} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		number := int(file.Fd())
		got, err := identityOf(number)
		want, _ := identityByFstat(number)
		if got != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", path, got, err, want)
		}
	}
	if _, err := identityOf(1 << 20); err == nil {
		t.Error("a descriptor that is not open has an identity")
	}
}
