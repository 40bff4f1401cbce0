"""The Go runtime's sources, as package data: ``functrace runtime add`` copies them into a module."""
