"""Local web viewer of traces: a server on loopback, and the page that it serves."""
