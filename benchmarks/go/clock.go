package benchmarks

// readCounter reads the counter that a recording's times come from.
func readCounter() uint64
