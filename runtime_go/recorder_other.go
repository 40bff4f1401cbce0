//go:build trace && go1.21 && !unix

package functrace

import (
	"errors"
	"os"
)

func mapPart(*os.File, int64, int) ([]byte, error) {
	return nil, errors.New("this system maps no files into memory")
}
