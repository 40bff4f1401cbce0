"""Set-up of a traced program's main module, which equals Python's own."""

from __future__ import annotations

import os
import sys
from _frozen_importlib import BuiltinImporter
from _frozen_importlib_external import SourceFileLoader

from functrace.pyimport import command_line, config, loader
from functrace.runtime.stderr import write_message

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def begin(
    namespace: dict[str, Any],
    kind: str,
    file: str,
    functions: int,
    warned: list[tuple[str, str, int]],
    source: bytes = b"",
) -> Callable[[], object] | None:
    """Hide how the program was started, and install the hook.

    Args:
        namespace: the main module's globals.
        kind: ``script``, ``string`` (``-c``), ``stdin``, or ``launcher`` for programs that runpy
            starts.
        file: the file name of the main module that Python reports; empty for a ``launcher``.
        functions: the number of its instrumented functions.
        warned: its compiler warnings: category, text, line.
        source: for ``stdin`` with warnings: the source code, since standard input was read.

    Returns:
        For a ``launcher`` the function that runs the program, else None.
    """
    settings = config.parse(os.environ.get(config.VARIABLE, ""))
    _set_child_environment(settings)
    started_file = _hide_main_file(settings.joined)
    namespace["__file__"] = file or _launched()  # recorded in the trace
    # Before sys.path contains the program's directory: a module in it must not shadow the standard
    # library.
    loader.install(settings, functions)
    run = _launcher(started_file) if kind == "launcher" else None
    if run is None:
        _set_up_main(namespace, kind, file, started_file)
    if not settings.quiet:
        _warn_of_shadowed_package()
    is_fine = all(loader.warn(category, text, file, line) for category, text, line in warned)
    if not is_fine:
        if kind == "stdin":
            from functrace.pyimport import anonymous_file

            anonymous_file.replace(0, source)
        _run_without_hook()
    return run


def _run_without_hook() -> None:
    """Restart the program without the import hook, so that Python itself reports its error."""
    os.environ.pop(config.VARIABLE, None)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def hide_frame(error: BaseException) -> None:
    """Remove the outermost frame, the launcher's, from a traceback."""
    loader.hide_frame(error)
    rest = error.__traceback__
    if sys.version_info < (3, 11):  # there a bare raise restores the frame
        hook = sys.excepthook
        sys.excepthook = lambda kind, value, _: hook(kind, value.with_traceback(rest), rest)


def _launched() -> str:
    """Return the module, directory or archive that runpy will run."""
    return sys.argv[1] if sys.argv[0] == "-m" else sys.argv[0]


def _hide_main_file(joined: int) -> str:
    """Remove the file that Python was started with from ``sys``, and return it."""
    started_file = sys.argv[0]
    at = sys.orig_argv.index(started_file)
    del sys.orig_argv[at]
    command_line.rejoin(sys.orig_argv, at, joined)
    del sys.argv[0]
    sys.path_importer_cache.pop(started_file, None)
    return started_file


def _warn_of_shadowed_package() -> None:
    """Warn that functrace hides another package called functrace on ``sys.path``."""
    for folder in sys.path:
        package = os.path.join(os.path.abspath(folder), "functrace")
        if os.path.isfile(os.path.join(package, "pyimport", "boot.py")):
            return  # functrace-cli is installed there
        for file in (os.path.join(package, "__init__.py"), f"{package}.py"):
            if os.path.isfile(file):
                write_message(
                    f"{file} is hidden: a traced program imports the tracer's functrace instead"
                )
                return


def _set_child_environment(settings: config.Config) -> None:
    """Pass the import hook on to Python processes that the program starts, or hide it from them."""
    if settings.children:
        os.environ[config.VARIABLE] = settings.text(quiet=1, joined=0)
    else:
        os.environ.pop(config.VARIABLE, None)


def _set_path(started_file: str, first: str) -> None:
    """Replace the first entry of ``sys.path`` by ``first``, if Python set one."""
    # Python resolves links before it takes the directory.
    folder = os.path.dirname(os.path.realpath(started_file))
    if sys.path and sys.path[0] == folder:
        sys.path[0] = first
        sys.path_importer_cache.pop(folder, None)


def _set_up_main(namespace: dict[str, Any], kind: str, file: str, started_file: str) -> None:
    namespace["__loader__"] = SourceFileLoader("__main__", file)
    namespace["__file__"] = file
    if kind == "script":
        sys.path_importer_cache.setdefault(file, None)
        _set_path(started_file, os.path.dirname(os.path.realpath(file)))
        return
    _set_path(started_file, "")
    if kind == "string":
        namespace["__loader__"] = BuiltinImporter
        del namespace["__file__"], namespace["__cached__"]
        _show_source(file, sys.argv.pop(1))


def _show_source(file: str, source: str) -> None:
    """Make tracebacks show the source of ``-c``, as Python 3.13 and newer do."""
    if sys.version_info < (3, 13):
        return
    import linecache

    register = vars(linecache)["_register_code"]
    # 3.14 identifies functions by position, which instrumentation does not change.
    newer = sys.version_info >= (3, 14)
    register(compile(source, file, "exec", dont_inherit=True) if newer else file, source, file)


def _launcher(started_file: str) -> Callable[[], object]:
    import runpy
    from _functools import partial  # type: ignore[import-not-found] # functools is never loaded

    run: Any = runpy._run_module_as_main  # type: ignore[attr-defined]
    call: Callable[[], object]
    if sys.argv[0] == "-m":
        _set_path(started_file, os.getcwd())
        call = partial(run, sys.argv.pop(1))
        return call
    # Here Python uses an absolute path except in argv, and ignores the safe path option.
    archive = os.path.join(os.getcwd(), sys.argv[0])
    _set_path(started_file, archive)
    if sys.path[:1] != [archive]:
        sys.path.insert(0, archive)
    call = partial(run, "__main__", False)
    return call
