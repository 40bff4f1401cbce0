"""Checks for go commands that cannot be traced, with errors that name an alternative."""

from __future__ import annotations

from pathlib import Path

from functrace.errors import UsageError
from functrace.gobuild.go_command import GoCommand, is_on, last
from functrace.gobuild.go_environment import Environment


def refuse_flags(command: GoCommand, where: Environment) -> None:
    """Refuse flags, from the command line or ``GOFLAGS``, that cannot be combined with tracing.

    Raises:
        UsageError: a flag is not supported.
    """
    if is_on(where.flags, "linkshared") or last(where.flags, "buildmode") == "shared":
        raise UsageError("shared Go libraries cannot be traced: build without -linkshared")
    if last(where.flags, "compiler") not in (None, "gc"):
        raise UsageError("-compiler: only Go's own compiler can be traced")
    if last(where.flags, "pkgdir"):
        raise UsageError("-pkgdir keeps packages that are not instrumented: leave it out")
    for package in command.operands:
        if "@" in package and not Path(package).exists():
            raise UsageError(
                f"{package} is not a package of a module here: clone it and run functrace go there"
            )


def refuse_place(command: GoCommand, where: Environment, *, has_deps: bool) -> None:
    """Refuse commands that cannot be traced in this directory or module.

    Raises:
        UsageError: the module or a package pattern is not supported.
    """
    if not (where.modules or has_deps or _names_files(command)):
        raise UsageError("no go.mod here or above: name Go files, or work in a module")
    for module in where.modules:
        if module.path in ("std", "cmd"):
            raise UsageError(
                f"module {module.path} cannot import functrace's runtime, which needs it"
            )
    for pattern in (command.value("coverpkg") or "").split(","):
        first = pattern.partition("/")[0]
        is_own = any(module.may_contain(pattern) for module in where.modules)
        if first == "..." or (first and "." not in first and not is_own):
            raise UsageError(
                f"-coverpkg={pattern} covers the standard library, which the runtime needs as it "
                "is: name your own packages, -coverpkg=./..."
            )


def _names_files(command: GoCommand) -> bool:
    return bool(command.operands) and all(o.endswith(".go") for o in command.operands)
