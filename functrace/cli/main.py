"""The ``functrace`` command: where it begins, and how errors end it."""

from __future__ import annotations

import io
import sys

from functrace import messages
from functrace.cli import standard_streams
from functrace.errors import FunctraceError, UsageError


def main() -> None:
    """Run the command; exit 0 done, 1 something failed or nothing matched, 2 wrong usage."""
    standard_streams.prepare()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    try:
        status = _told(sys.argv[1:])
        standard_streams.flush()
    except OSError:  # nor can that be told
        standard_streams.let_go()
        status = 1
    sys.exit(status)


def _told(words: list[str]) -> int:
    """The exit status. What went wrong is told on standard error, which may raise OSError."""
    try:
        status = _run(words)
        standard_streams.flush()
    except KeyboardInterrupt:
        messages.say("interrupted; run it again to finish")
        return 130
    except FunctraceError as error:
        messages.say(*error.args)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # whoever read our output has seen enough
        standard_streams.let_go()
        return 1
    except OSError as error:
        messages.say(standard_streams.reason(error))
        standard_streams.let_go()
        return 1
    return status


def _run(words: list[str]) -> int:
    if words[:1] == ["run"]:
        from functrace.cli import run_arguments

        run_arguments.run(words[1:])
    from functrace.cli import verbs  # click takes longer to load than a program to start

    return verbs.run()
