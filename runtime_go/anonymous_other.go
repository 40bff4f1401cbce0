//go:build trace && go1.21 && !linux

package functrace

func createAnonymous(path string) (*output, error) { return createNamed(path) }

func (*output) publish() error { return nil }
