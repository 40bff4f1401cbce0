"""Launcher of the sender; a traced program runs it: ``python -I start.py PATH [FOLDER...]``.

The script locates functrace by its own path, because functrace and opentelemetry may be
installed in any folder of the program. It exits once the sender runs as a separate process.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from typing import Any

_NO_OPENTELEMETRY = 3
_REQUIRED = ("numpy", "opentelemetry.sdk.resources", "opentelemetry.proto", "requests")
_IGNORED = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
_NICE = 5
_STREAMS = 3  # descriptors below this are the standard streams


def main(path: str, *folders: str) -> None:
    """Start the sender for the trace at `path`; search `folders` for its dependencies."""
    _detach()  # before the program continues: its process group may get a signal at once
    package = os.path.abspath(__file__).removesuffix("/export/otlp/live/start.py")
    sys.path += [f for f in (*folders, os.path.dirname(package)) if f not in sys.path]
    _load(package)
    if not all(map(_is_installed, _REQUIRED)):
        sys.exit(_NO_OPENTELEMETRY)
    if os.fork():
        os._exit(0)
    from functrace.export.otlp.live import sender

    sys.excepthook = lambda _, error, __: sender.write_message(f"{type(error).__name__}: {error}")
    sender.main(path)
    os._exit(0)  # do not wait for threads of libraries


def _load(package: str) -> None:
    """Import functrace from its folder `package`, even if another module has that name."""
    file = os.path.join(package, "__init__.py")
    spec: Any = spec_from_file_location("functrace", file, submodule_search_locations=[package])
    module = sys.modules["functrace"] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _detach() -> None:
    """Detach from the program's terminal, signals and open files.

    The program has blocked all signals for this process, so that none ends it before this point.
    """
    os.setsid()
    _close_inherited()
    for name in _IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.nice(_NICE)


def _close_inherited() -> None:
    """Close all descriptors except the standard streams.

    A loop over all descriptors up to the limit may take minutes; on macOS there may be no limit.
    """
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:  # /proc is not mounted
        os.closerange(_STREAMS, os.sysconf("SC_OPEN_MAX"))
        return
    for number in numbers:
        if number >= _STREAMS:
            with suppress(OSError):  # the descriptor that listed the directory is closed already
                os.close(number)


if __name__ == "__main__":
    main(*sys.argv[1:])
