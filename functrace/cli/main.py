"""The ``functrace`` command: where it begins, and how errors end it."""

from __future__ import annotations

import io
import os
import sys

from functrace.errors import FunctraceError, UsageError


def main() -> None:
    """Run the command; exit 0 done, 1 something failed or nothing matched, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:
        print("functrace: interrupted; run it again to finish", file=sys.stderr)
        status = 130
    except FunctraceError as error:
        print(f"functrace: {error}", file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; do not fail on closing it either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        print(f"functrace: {error.strerror}: {error.filename or ''}", file=sys.stderr)
        status = 1
    sys.exit(status)


def _run(words: list[str]) -> int:
    if words[:1] == ["run"]:
        from functrace.cli import quick

        quick.run(words[1:])
    from functrace.cli import verbs  # click takes longer to load than a program to start

    return verbs.run()
