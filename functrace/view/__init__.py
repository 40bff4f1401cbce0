"""The local viewer of traces, `functrace view`."""
