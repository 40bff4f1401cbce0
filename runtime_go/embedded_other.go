//go:build trace && otlp && go1.21 && !linux

package functrace

import "errors"

// createInMemory fails: only Linux has memfd_create(2).
func createInMemory() (*executable, error) {
	return nil, errors.New("this system runs nothing from memory")
}
