"""A go command line, read as the go command reads it.

Source: https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies and
#hdr-Testing_flags; go run and go test have rules of their own for where packages end.
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
    """A flag of the go command: its name without dashes, its value if it has one, its words."""

    name: str
    value: str | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class GoCommand:
    """``go VERB``, flags, operands, and the rest.

    Attributes:
        given: flags and operands in their order.
        rest: what goes to the program or the test binary.
    """

    verb: str
    given: tuple[Flag | str, ...]
    rest: tuple[str, ...]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The go command's own flags; of go test also the test binary's."""
        return tuple(item for item in self.given if isinstance(item, Flag))

    @property
    def operands(self) -> tuple[str, ...]:
        """Packages or Go files."""
        return tuple(item for item in self.given if isinstance(item, str))

    def value(self, name: str) -> str | None:
        """The last value given for a flag, ``""`` if it stands without one."""
        return last(self.flags, name)

    def is_set(self, name: str) -> bool:
        """Whether a flag without value is on."""
        return is_on(self.flags, name)


def parse(verb: str, arguments: Sequence[str]) -> GoCommand:
    """Read the arguments behind ``go VERB``."""
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
    """Whether what is no flag goes to the test binary: packages, or a flag of its, came before."""
    known = _WITH_VALUE | _WITHOUT_VALUE
    return any(isinstance(item, str) or item.name not in known for item in given)


def _operands_end(verb: str, arguments: Sequence[str], at: int) -> int:
    """The index behind the packages or files that begin at ``at``."""
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
    """The value of the last flag of that name, which is the one that counts."""
    found = [flag.value or "" for flag in flags if flag.name == name]
    return found[-1] if found else None


def is_on(flags: Sequence[Flag], name: str) -> bool:
    """Whether a flag without value is on."""
    return last(flags, name) not in (None, "false", "0", "f", "F", "FALSE", "False")


def split_goflags(text: str) -> tuple[Flag, ...]:
    """The flags in ``GOFLAGS``: separated by blanks, whole entries in quotes."""
    words = [m[1] or m[2] or m[3] or "" for m in _QUOTED.finditer(text)]
    return tuple(_flag([word], 0) for word in words)
