"""Parser for go command lines.

Source: https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies and
#hdr-Testing_flags; go run and go test have separate rules for the end of the packages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Flags that take the next argument as their value if they have no "=".
_WITH_VALUE = frozenset(
    """
    C asmflags buildmode compiler covermode coverpkg debug-actiongraph debug-runtime-trace
    debug-trace exec gccgoflags gcflags installsuffix ldflags mod modfile o overlay p pgo pkgdir
    tags toolexec

    bench benchtime blockprofile blockprofilerate count coverprofile cpu cpuprofile fuzz fuzztime
    fuzzcachedir fuzzminimizetime list memprofile memprofilerate mutexprofile
    mutexprofilefraction outputdir parallel run shuffle skip timeout trace vet
    """.split()
)
_WITHOUT_VALUE = frozenset(
    """
    a artifacts asan benchmem buildvcs c changed cover failfast fullpath i json linkshared
    modcacherw msan n race short trimpath v work x
    """.split()
)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|(\S+)")


@dataclass(frozen=True)
class Flag:
    """A flag of the go command: its name without dashes, its value if any, and its words."""

    name: str
    value: str | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class GoCommand:
    """A parsed go command line.

    Attributes:
        verb: the go subcommand.
        given: flags and operands in their order.
        rest: arguments for the program or the test binary.
    """

    verb: str
    given: tuple[Flag | str, ...]
    rest: tuple[str, ...]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The flags of the go command; for go test also those of the test binary."""
        return tuple(item for item in self.given if isinstance(item, Flag))

    @property
    def operands(self) -> tuple[str, ...]:
        """Packages or Go files."""
        return tuple(item for item in self.given if isinstance(item, str))

    def value(self, name: str) -> str | None:
        """Return the last value of a flag, ``""`` for a flag without a value, or None."""
        return last(self.flags, name)

    def is_set(self, name: str) -> bool:
        """Return whether a boolean flag is on."""
        return is_on(self.flags, name)


def parse(verb: str, arguments: Sequence[str]) -> GoCommand:
    """Parse the arguments after ``go VERB``."""
    given: list[Flag | str] = []
    at = 0
    while at < len(arguments):
        if _is_flag(arguments[at]):
            flag = _flag(arguments, at)
            if verb == "test" and flag.name == "args":
                break
            given.append(flag)
            at += len(flag.words)
            continue
        if verb == "test" and _is_test_binarys(given):
            break
        end = _operands_end(verb, arguments, at)
        given += arguments[at:end]
        at = end
        if verb != "test":
            break  # no flags follow
    return GoCommand(verb, tuple(given), tuple(arguments[at:]))


def _is_flag(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and word != "--"


def _flag(arguments: Sequence[str], at: int) -> Flag:
    word = arguments[at]
    name, equals, value = word.lstrip("-").partition("=")
    name = name.removeprefix("test.")
    if equals:
        return Flag(name, value, (word,))
    if name in _WITH_VALUE and at + 1 < len(arguments):
        return Flag(name, arguments[at + 1], (word, arguments[at + 1]))
    return Flag(name, None, (word,))


def _is_test_binarys(given: list[Flag | str]) -> bool:
    """Return whether a non-flag argument is the test binary's: after packages or its flags."""
    known = _WITH_VALUE | _WITHOUT_VALUE
    return any(isinstance(item, str) or item.name not in known for item in given)


def _operands_end(verb: str, arguments: Sequence[str], at: int) -> int:
    """Return the index after the packages or files that begin at ``at``."""
    if verb == "run":
        end = at
        while end < len(arguments) and arguments[end].endswith(".go"):
            end += 1
        return max(end, at + 1)
    if verb == "test":
        behind = (i for i in range(at, len(arguments)) if _is_flag(arguments[i]))
        return next(behind, len(arguments))
    return len(arguments)


def last(flags: Sequence[Flag], name: str) -> str | None:
    """Return the value of the last flag of that name, which is the one that applies."""
    found = [flag.value or "" for flag in flags if flag.name == name]
    return found[-1] if found else None


def is_on(flags: Sequence[Flag], name: str) -> bool:
    """Return whether a boolean flag is on."""
    return last(flags, name) not in (None, "false", "0", "f", "F", "FALSE", "False")


def split_goflags(text: str) -> tuple[Flag, ...]:
    """Return the flags in ``GOFLAGS``: separated by blanks, entries optionally in quotes."""
    words = [m[1] or m[2] or m[3] or "" for m in _QUOTED.finditer(text)]
    return tuple(_flag([word], 0) for word in words)
