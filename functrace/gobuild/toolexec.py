"""Wrapper of the compiler and linker during ``functrace go``.

The go command runs it as ``toolexec SESSION TOOL ARGUMENTS…`` for every compiler
call that carries the session's mark, and for every link.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from functrace import messages
from functrace.errors import FunctraceError
from functrace.gobuild import archives, inlining, instrument, light_counts, request_hooks, session
from functrace.gobuild.package_filter import import_path_of
from functrace.gobuild.session import MARK, RUNTIME, Session


def main() -> None:
    """Run the compiler or linker on instrumented copies and exit with its status."""
    path, *command = sys.argv[1:]
    run = session.load(path)
    try:
        if any(word.startswith(MARK) for word in command):
            status = _compile(run, [word for word in command if not word.startswith(MARK)])
        else:
            status = _execute(_add_runtime(run, command), run)
    except FunctraceError as error:
        messages.write_message(*error.args)
        status = 1
    except OSError as error:
        messages.write_message(f"{error.filename or command[0]}: {error.strerror}")
        status = 1
    sys.exit(status)


def _execute(command: Sequence[str], run: Session) -> int:
    return subprocess.run([*run.toolexec, *command], check=False).returncode


def _compile(run: Session, command: list[str]) -> int:
    package = os.environ.get("TOOLEXEC_IMPORTPATH", "")
    new = command
    if run.scope.contains(package):
        files = {word: Path(word).read_bytes() for word in _files(command)}
        inlinable = inlining.find_inlinable(run, command, files) if run.light else {}
        if inlinable is None:
            status = _execute(command, run)
            if status:
                return status
            raise FunctraceError(
                f"{package}: cannot tell which functions the compiler inlines: it reported none "
                "with -m; build without --light"
            )
        new = _instrumented(run, package, command, files, inlinable)
    if import_path_of(package) in request_hooks.HOOKED and _compile_with_hooks(run, package, new):
        return 0
    return _execute(command, run) if new == command else _compile_copies(run, package, command, new)


def _compile_copies(run: Session, package: str, command: list[str], new: list[str]) -> int:
    attempt = subprocess.run([*run.toolexec, *new], capture_output=True, check=False)
    if attempt.returncode:
        # Errors of the user's code must be reported as for the original files.
        status = _execute(command, run)
        if status:
            return status
        messages.write_output(attempt.stdout + attempt.stderr, sys.stderr)
        raise FunctraceError(
            f"{package}: the instrumented copy does not compile, but the original does; "
            "this is a bug in functrace, please report it; to continue, run "
            f"functrace go --exclude-path {package.partition(' ')[0]} …"
        )
    messages.write_output(attempt.stdout, sys.stdout)
    messages.write_output(attempt.stderr, sys.stderr)
    return 0


def _compile_with_hooks(run: Session, package: str, command: list[str]) -> bool:
    """Compile a package with its request hooks; report whether that succeeded."""
    path = import_path_of(package)
    if archives.find_profile(run, package, command) is None:
        messages.write_message(
            f"{path} is compiled with one of several profiles, which of them is not known: its"
            " requests are not recorded; build one program at a time, or with -pgo=off"
        )
        return False
    new = _hooked(run, package, command)
    attempt = new and subprocess.run([*run.toolexec, *new], capture_output=True, check=False)
    if attempt and attempt.returncode == 0:
        messages.write_output(attempt.stdout, sys.stdout)
        messages.write_output(attempt.stderr, sys.stderr)
        return True
    messages.write_message(f"{path} is not as expected: its requests are not recorded")
    return False


def _hooked(run: Session, package: str, command: list[str]) -> list[str] | None:
    """Return the compiler's command line with request hooks, or None if there are none for it."""
    files = {word: Path(word).read_bytes() for word in _files(command)}
    hooked = request_hooks.hook(import_path_of(package), files)
    if hooked is None:
        return None
    folder = Path(_value(command, "-o")).parent / "functrace-requests"
    folder.mkdir(exist_ok=True)
    copies: dict[str, str] = {}
    for path, text in hooked.edited.items():
        copies[path] = str(folder / os.path.basename(path))
        is_original = not Path(path).is_relative_to(folder.parent)
        Path(copies[path]).write_bytes(instrument.for_compiler(path, text) if is_original else text)
    place = os.path.dirname(next(iter(files)))
    added = [str(folder / name) for name in hooked.added]
    for name, text in hooked.added.items():
        (folder / name).write_bytes(instrument.for_compiler(os.path.join(place, name), text))
    new = [*(copies.get(word, word) for word in command), *added]
    if not hooked.needs_runtime or _imports_runtime(command):
        return new
    return _with_packages(new, {RUNTIME: archives.find(run, package, command)[RUNTIME]})


def _imports_runtime(command: list[str]) -> bool:
    config = _value(command, "-importcfg")
    return bool(config) and f"packagefile {RUNTIME}=" in Path(config).read_text(encoding="utf-8")


def _instrumented(
    run: Session,
    package: str,
    command: list[str],
    files: Mapping[str, bytes],
    inlinable: Mapping[str, frozenset[int]],
) -> list[str]:
    """Return the compiler's command line with instrumented copies in place of their files."""
    copies: dict[str, str] = {}
    folder = Path(_value(command, "-o")).parent / "functrace"
    instrumented = [*instrument.instrument_package(run, package, files, inlinable)]
    if run.light:
        light_counts.put(
            run,
            action_id=_value(command, "-buildid").partition("/")[0],
            package=package,
            files=instrumented,
        )
    for file in instrumented:
        if file.text is not None:
            folder.mkdir(exist_ok=True)
            copy = folder / f"{len(copies)}_{os.path.basename(file.path)}"
            copy.write_bytes(_add_line_directive(file.path, file.text, folder.parent))
            copies[file.path] = str(copy)
    if not copies:
        return command
    new = [copies.get(word, word) for word in command]
    found = archives.find(run, package, command)
    return _with_packages(new, {RUNTIME: found[RUNTIME]})


# Compiler flags whose value the go command passes as the next word.
_WITH_VALUE = frozenset(
    "-D -asmhdr -buildid -embedcfg -goversion -importcfg -installsuffix".split()
    + "-o -p -symabis -trimpath".split()
)


def _files(command: list[str]) -> list[str]:
    """Return the files to compile: all words after the last flag."""
    last = max(i for i, word in enumerate(command) if word.startswith("-"))
    return command[last + 1 + (command[last] in _WITH_VALUE) :]


def _add_line_directive(path: str, text: bytes, work: Path) -> bytes:
    """Add a ``//line`` directive, except to files of cgo and cover, which contain their own."""
    is_generated = Path(path).is_relative_to(work)
    return text if is_generated else instrument.for_compiler(path, text)


def _add_runtime(run: Session, command: list[str]) -> list[str]:
    """Return the linker's command line with the runtime and its dependencies added."""
    config = Path(_value(command, "-importcfg"))
    listed = {line.partition("=")[0] for line in config.read_text(encoding="utf-8").splitlines()}
    package = os.environ.get("TOOLEXEC_IMPORTPATH", "")
    found = archives.find(run, package, command)
    missing = {path: file for path, file in found.items() if f"packagefile {path}" not in listed}
    return _with_packages(command, missing)


def _with_packages(command: list[str], packages: dict[str, str]) -> list[str]:
    """Return the command with ``packages`` added to its import configuration."""
    old = _value(command, "-importcfg")
    lines = "".join(f"packagefile {path}={file}\n" for path, file in packages.items())
    new = Path(old or _value(command, "-o")).with_name("importcfg.functrace")
    new.write_text((Path(old).read_text(encoding="utf-8") if old else "") + lines, encoding="utf-8")
    if not old:
        return [command[0], "-importcfg", str(new), *command[1:]]
    return [str(new) if word == old else word for word in command]


def _value(command: list[str], flag: str) -> str:
    """Return the value of a flag that is passed as two words, or ``""``."""
    return command[command.index(flag) + 1] if flag in command else ""
