//go:build trace && go1.21

package functrace

import (
	"os"
	"strings"
)

// newFileMode returns the mode of a new file at path: private to the user, unless the directory's
// set-group-ID bit shares it with the group of the directory.
func newFileMode(path string) os.FileMode {
	folder := "."
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		folder = path[:slash+1]
	}
	if info, err := os.Stat(folder); err == nil && info.Mode()&os.ModeSetgid != 0 {
		return 0o640
	}
	return 0o600
}
