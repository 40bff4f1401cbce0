"""``functrace go``: builds of instrumented Go sources with the go command.

No source file is changed and no module resolved: ``go -toolexec`` passes every
compiler call to :mod:`functrace.gobuild.toolexec`, which compiles instrumented copies
of the selected packages and adds the runtime's archive to their imports. A mark
among the compiler's flags gives those packages separate entries in Go's build cache.
"""
