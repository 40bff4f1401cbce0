"""Owners of a firing: those of its service, or those of the guilty function's file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from functrace import extras
from functrace.errors import FunctraceError
from functrace.watch.firing import Firing

_MAX_BYTES = 3_000_000  # GitHub ignores larger files
_FOLDERS = (".github", ".gitlab", "docs")  # of a CODEOWNERS file that is not at the top
_WORD = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True)
class _Rule:
    pattern: str
    owners: tuple[str, ...]


def find_owners(
    firing: Firing, service_owners: tuple[str, ...], codeowners: Path | None
) -> tuple[str, ...]:
    """Return the owners of a firing; empty if there are none.

    Args:
        firing: its file is that of the guilty function.
        service_owners: owners in the configuration, which have precedence.
        codeowners: a CODEOWNERS file.

    Raises:
        FunctraceError: the CODEOWNERS file cannot be read.
    """
    if service_owners or codeowners is None or not firing.file:
        return service_owners
    return owners_of_file(firing.file, codeowners)


def owners_of_file(file: str, codeowners: Path) -> tuple[str, ...]:
    """Return the owners of the last rule whose pattern matches a source file.

    The trace contains the path of the build, which may begin with folders that the repository does
    not have. The part that is a file beside CODEOWNERS counts; if there is none, as on a machine
    without the sources, a pattern may match the path without any of its leading folders.

    Raises:
        FunctraceError: the CODEOWNERS file cannot be read.
    """
    extras.require("pathspec", "watch", "reading CODEOWNERS")
    paths = _candidates(file, codeowners)
    for rule in reversed(_read(codeowners)):
        if any(_matches(rule.pattern, path) for path in paths):
            return rule.owners
    return ()


def _candidates(file: str, codeowners: Path) -> list[str]:
    folder = codeowners.absolute().parent
    root = folder.parent if folder.name in _FOLDERS else folder
    parts = [part for part in PurePosixPath(file).parts if part not in ("/", "..")]
    suffixes = ["/".join(parts[start:]) for start in range(len(parts))]
    present = [suffix for suffix in suffixes if (root / suffix).is_file()]
    return present[:1] or suffixes


def _matches(pattern: str, path: str) -> bool:
    import pathspec

    if pattern.endswith("/*") and "**" not in pattern:  # in .gitignore, also what is in folders
        depth = pattern.strip("/").count("/")
        if path.count("/") != depth:
            return False
    return bool(pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(path))


def _read(codeowners: Path) -> list[_Rule]:
    try:
        with codeowners.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FunctraceError(f"{codeowners}: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise FunctraceError(f"{codeowners}: larger than {_MAX_BYTES:,} bytes")
    found = map(_parse, content.decode(errors="replace").splitlines())
    return [rule for rule in found if rule]


def _parse(line: str) -> _Rule | None:
    """Return the rule in a line; None for a comment, a section of GitLab, or a negation."""
    words: list[str] = _WORD.findall(line)
    if not words or words[0].startswith(("#", "[", "^[", "!")):
        return None
    owners = []
    for word in words[1:]:
        if word.startswith("#"):
            break
        owners.append(word)
    return _Rule(words[0], tuple(owners))
