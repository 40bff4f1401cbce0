"""Go support of ``inject`` and ``strip``: modules, toolchain and the Go runtime."""
