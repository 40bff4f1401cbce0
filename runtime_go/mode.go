//go:build trace && go1.21

package functrace

import (
	"os"
	"strings"
)

// newFileMode returns the mode of a file that is created at path: what was traced is the
// user's alone, unless the folder's set-group-ID bit shares it with the folder's group.
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
