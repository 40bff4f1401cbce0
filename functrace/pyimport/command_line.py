"""Parser of Python's own command line: its options and the program after them.

Source: https://docs.python.org/3/using/cmdline.html and Python/getopt.c. Python reads clusters
(``-uB``, ``-um MODULE``) and values that are attached (``-Wignore``) or the next word.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from collections.abc import Sequence

_SWITCHES = frozenset("bBdEiIOPqRsStuvx")
_WITH_VALUE = frozenset("WX")
_PROGRAM = frozenset("cm")
_LONG_WITH_VALUE = "--check-hash-based-pycs"
_PRINTS = frozenset(
    ("-V", "-h", "-?", "--version", "--help", "--help-all", "--help-env", "--help-xoptions")
)

LETTER_JOINED = 1
VALUE_JOINED = 2


class CommandLine:
    """The parsed words after ``python``.

    Attributes:
        options: Python's options, as typed, without ``-m`` or ``-c``.
        program: ``-m MODULE``, ``-c CODE``, ``-`` or a file, each with its arguments.
        joined: bit set; LETTER_JOINED if ``-m`` or ``-c`` was typed in one word with other
            options, VALUE_JOINED if its value was attached.
        switches: the letters of the options without a value.
        x_options: the values of ``-X``.

    Raises:
        ValueError: the command line runs no program; the message contains the reason.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.options: list[str] = []
        self.program: tuple[str, ...] = ()
        self.joined = 0
        self.switches = ""
        self.x_options: list[str] = []
        rest = list(words)
        while rest and not self.program:
            self._read(rest)
        if not self.program:
            raise ValueError("no program given; use FILE, -m MODULE, -c CODE or - (standard input)")

    def _read(self, rest: list[str]) -> None:
        """Parse the next word and its value, if any."""
        word = rest[0]
        if word[:1] != "-" or word == "-":
            self.program = tuple(rest)
        elif word == "--":
            self.options.append(rest.pop(0))
            if rest and rest[0] in ("-m", "-c"):
                raise ValueError(f"{rest[0]} after --: if it is a file, use ./{rest[0]}")
            self.program = tuple(rest)
            rest.clear()
        elif word.startswith("--") or word in _PRINTS:
            self._read_long(rest)
        else:
            self._read_cluster(rest)

    def _read_long(self, rest: list[str]) -> None:
        word = rest.pop(0)
        if word in _PRINTS:
            raise ValueError(f"{word} runs no program; nothing to trace")
        if word != _LONG_WITH_VALUE:
            raise ValueError(
                f"{word} is not a Python option; put options of functrace run before Python's"
            )
        self.options += [word, _value(word, rest)]

    def _read_cluster(self, rest: list[str]) -> None:
        word = rest.pop(0)
        for at, letter in enumerate(word[1:], 1):
            attached = word[at + 1 :]
            if letter in _PROGRAM:
                self._begin_program(word[:at], letter, attached, rest)
                return
            if letter in _WITH_VALUE:
                value = attached or _value(f"-{letter}", rest)
                self.x_options += [value] if letter == "X" else []
                self.options += [word] if attached else [word, value]
                return
            if f"-{letter}" in _PRINTS:
                raise ValueError(f"-{letter} runs no program; nothing to trace")
            if letter not in _SWITCHES:
                raise ValueError(f"-{letter} is neither an option of functrace run nor of Python")
            self.switches += letter
        self.options.append(word)

    def _begin_program(self, before: str, letter: str, attached: str, rest: list[str]) -> None:
        if len(before) > 1:
            self.options.append(before)
            self.joined |= LETTER_JOINED
        if attached:
            self.joined |= VALUE_JOINED
        self.program = (f"-{letter}", attached or _value(f"-{letter}", rest), *rest)


def _value(option: str, rest: list[str]) -> str:
    if not rest:
        raise ValueError(f"{option} needs an argument")
    return rest.pop(0)


def is_option(word: str) -> bool:
    """Return whether a word looks like a Python option or a cluster of them."""
    if word.startswith("--"):
        return word == _LONG_WITH_VALUE or word in _PRINTS
    return word[:1] == "-" and word[1:2] in _SWITCHES | _WITH_VALUE | _PROGRAM | {"V", "?"}


def rejoin(typed: list[str], at: int, joined: int) -> None:
    """Join the words of ``-m`` or ``-c`` at index ``at`` as they were typed."""
    if joined & VALUE_JOINED:
        typed[at : at + 2] = ["".join(typed[at : at + 2])]
    if joined & LETTER_JOINED:
        typed[at - 1 : at + 1] = [typed[at - 1] + typed[at][1:]]
