"""``functrace go``: the go command on an instrumented view of the sources.

No file is touched and no module resolved: ``go -toolexec`` hands every compiler
call to :mod:`functrace.gobuild.toolexec`, which compiles instrumented copies of the
packages in question and adds the runtime's archive to what they import. A mark
among the compiler's flags gives those packages cache entries of their own.
"""
