"""What the hook is asked to do; text, as it goes to processes by their environment."""

from __future__ import annotations

import os

from functrace.cache.folders import choose
from functrace.cache.trust import find_risk

TYPE_CHECKING = False  # typing is nothing that every program loads
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
    )
)
_OF_PROCESS = frozenset(("std", "quiet", "children", "joined"))  # they change no code
_LISTS = frozenset(("include", "exclude", "compiled", "deps"))


class Config:
    """One run's wishes.

    Attributes:
        cache: the folder for what was compiled; empty if there is none that is safe.
        cache_warning: a message for the user about the cache, or an empty string.
        root: the folder that globs over paths count from.
        include, exclude, compiled, min_lines, exported_only, skip_generated, lambdas: as in
            :class:`rewriter.python.Options`.
        deps: globs over the names of modules that are instrumented though they are not the user's.
        std: whether the standard library is, too.
        quiet: no summary at the end.
        children: whether Python processes that the program starts are traced, too.
        joined: as in :class:`functrace.pyimport.command_line.CommandLine`.
    """

    cache: str = ""
    cache_warning: str = ""
    root: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
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

    def __init__(self, **values: str | int | tuple[str, ...]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        if not self.cache or find_risk(self.cache):
            choice = choose("python")
            self.cache, self.cache_warning = choice.folder, choice.warning
        self.root = self.root or os.getcwd()

    def text(self, **changes: str | int) -> str:
        """A line for each attribute that says something."""
        lines = []
        for name, value in {**vars(self), **changes, "cache_warning": ""}.items():
            values = value if isinstance(value, tuple) else (value,)
            lines += [f"{name}={v}" for v in values if v]
        return "\n".join(lines)

    def key(self, flags: Flags) -> str:
        """All that decides what becomes of a given file at a given path."""
        from functrace import __version__

        asked = [(n, getattr(self, n)) for n in ("include", "exclude", "compiled")]
        asked += [(n, getattr(self, n)) for n in sorted(_NUMBERS - _OF_PROCESS)]
        place = self.root if self.include or self.exclude else ""
        return repr((__version__, asked, place, flags.key()))


def parse(text: str) -> Config:
    """What :meth:`Config.text` wrote; of any other text, such as ``1``, the defaults."""
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
