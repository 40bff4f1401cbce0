"""What functrace knows of Go's modules, toolchain and its own Go runtime."""
