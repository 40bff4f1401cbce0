//go:build trace && go1.21 && !unix

package functrace

import "errors"

// prepareRing fails: the recorder maps its file into memory only on Unix.
func prepareRing(config) (*config, error) {
	return nil, errors.New("FUNCTRACE=ring needs a Unix system; use FUNCTRACE=text")
}

func (*output) lock() {}
