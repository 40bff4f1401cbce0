"""Import hook configuration, passed to processes as text in an environment variable."""

from __future__ import annotations

import os

from functrace.cache.folders import choose
from functrace.cache.trust import find_risk

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from functrace.pyimport.flags import Flags

VARIABLE = "FUNCTRACE_HOOK"
_NUMBERS = frozenset(
    (
        "min_lines",
        "exported_only",
        "skip_generated",
        "lambdas",
        "std",
        "quiet",
        "children",
        "joined",
        "record",
    )
)
_OF_PROCESS = frozenset(
    ("std", "quiet", "children", "joined", "record")
)  # they do not affect compiled code
_FILTERS = ("include", "exclude", "include_path", "exclude_path")
_LISTS = frozenset((*_FILTERS, "compiled", "deps"))


class Config:
    """Configuration of one run.

    Attributes:
        cache: the cache directory of compiled code; empty if no safe one exists.
        cache_warning: a message for the user about the cache, or an empty string.
        root: the directory that path globs are relative to.
        include, exclude, include_path, exclude_path, compiled, min_lines, exported_only,
            skip_generated, lambdas: as in :class:`rewriter.python.Options`.
        deps: globs over names of installed modules to instrument.
        std: whether to instrument the standard library.
        quiet: whether to omit the summary at the end.
        children: whether to trace Python processes that the program starts.
        record: whether functrace run waits for the program, to print a summary of its trace.
        joined: as in :class:`functrace.pyimport.command_line.CommandLine`.
    """

    cache: str = ""
    cache_warning: str = ""
    root: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include_path: tuple[str, ...] = ()
    exclude_path: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    deps: tuple[str, ...] = ()
    min_lines: int = 0
    exported_only: int = 0
    skip_generated: int = 0
    lambdas: int = 0
    std: int = 0
    quiet: int = 0
    children: int = 0
    joined: int = 0
    record: int = 0

    def __init__(self, **values: str | int | tuple[str, ...]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        if not self.cache or find_risk(self.cache):
            choice = choose("python")
            self.cache, self.cache_warning = choice.folder, choice.warning
        self.root = self.root or os.getcwd()

    def text(self, **changes: str | int) -> str:
        """Return the configuration as text: one line per value that is not empty or zero."""
        lines = []
        for name, value in {**vars(self), **changes, "cache_warning": ""}.items():
            values = value if isinstance(value, tuple) else (value,)
            lines += [f"{name}={v}" for v in values if v]
        return "\n".join(lines)

    def key(self, flags: Flags) -> str:
        """Return everything that affects the compiled code of a given file."""
        from functrace import __version__

        settings = [(n, getattr(self, n)) for n in (*_FILTERS, "compiled")]
        settings += [(n, getattr(self, n)) for n in sorted(_NUMBERS - _OF_PROCESS)]
        root = self.root if self.include_path or self.exclude_path else ""
        return repr((__version__, settings, root, flags.key()))


def parse(text: str) -> Config:
    """Parse the output of :meth:`Config.text`; other text, such as ``1``, gives the defaults."""
    values: dict[str, str | int | tuple[str, ...]] = {}
    for line in text.split("\n"):
        name, _, value = line.partition("=")
        if name in _LISTS:
            before = values.get(name, ())
            values[name] = (*(before if isinstance(before, tuple) else ()), value)
        elif name in _NUMBERS:
            values[name] = int(value)
        elif name in ("cache", "root"):
            values[name] = value
    return Config(**values) if values else Config(quiet=1)
