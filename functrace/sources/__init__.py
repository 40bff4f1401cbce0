"""inject and strip over a source tree, whatever its languages."""
