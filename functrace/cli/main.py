"""Entry point of the ``functrace`` command, with its error handling."""

from __future__ import annotations

import io
import sys

from functrace import messages
from functrace.cli import standard_streams
from functrace.errors import FunctraceError, UsageError


def main() -> None:
    """Run the command and exit: 0 done, 1 something failed or nothing matched, 2 wrong usage."""
    standard_streams.prepare()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file's name may be any bytes
    try:
        status = _run_reporting_errors(sys.argv[1:])
        standard_streams.flush()
    except OSError:  # standard error cannot be written either
        standard_streams.discard_output()
        status = 1
    sys.exit(status)


def _run_reporting_errors(words: list[str]) -> int:
    """Run the command, write errors to standard error and return the exit status.

    Raises:
        OSError: standard error cannot be written.
    """
    try:
        status = _run(words)
        standard_streams.flush()
    except KeyboardInterrupt:
        messages.write_message("interrupted; run the command again to finish")
        return 130
    except FunctraceError as error:
        messages.write_message(*error.args)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:  # the reader of the output has closed it
        standard_streams.discard_output()
        return 1
    except OSError as error:
        messages.write_message(standard_streams.describe(error))
        standard_streams.discard_output()
        return 1
    return status


def _run(words: list[str]) -> int:
    if words[:1] == ["run"]:
        from functrace.cli import run_arguments

        run_arguments.run(words[1:])
    from functrace.cli import verbs  # late: click loads slowly, and functrace run does not need it

    return verbs.run()
