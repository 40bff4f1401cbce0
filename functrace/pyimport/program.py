"""The main module of a traced program is made what it would be without us."""

from __future__ import annotations

import os
import sys
from _frozen_importlib import BuiltinImporter
from _frozen_importlib_external import SourceFileLoader

from functrace.pyimport import command_line, config, loader
from functrace.runtime.stderr import write_message

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def begin(
    namespace: dict[str, Any],
    kind: str,
    file: str,
    functions: int,
    warned: list[tuple[str, str, int]],
) -> Callable[[], object] | None:
    """Hide how the program was started, and install the hook.

    Args:
        namespace: of the main module.
        kind: ``script``, ``string`` (``-c``), ``stdin``, or ``launcher``, for what runpy starts.
        file: what Python calls the main module's file; empty for a ``launcher``.
        functions: how many of it are instrumented.
        warned: what its compiler warned of: category, text, line.

    Returns:
        for a ``launcher`` what runs the program, else None.
    """
    asked = config.parse(os.environ.get(config.VARIABLE, ""))
    _leave_to_children(asked)
    ours = _hide_ourselves(asked.joined)
    namespace["__file__"] = file or _launched()  # which a trace tells
    # While sys.path has no folder of the program: what it has there must not be taken for a module
    # of the standard library.
    loader.install(asked, functions)
    run = _launcher(ours) if kind == "launcher" else None
    if run is None:
        _main(namespace, kind, file, ours)
    if not asked.quiet:
        _tell_of_namesake()
    is_fine = all(loader.warn(category, text, file, line) for category, text, line in warned)
    if not is_fine and kind != "stdin":
        _leave_to_python()
    return run


def _leave_to_python() -> None:
    """Run the program without us, as Python itself has to say what is wrong with it."""
    os.environ.pop(config.VARIABLE, None)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def hide(error: BaseException) -> None:
    """Take our frame, the outermost, out of a traceback."""
    loader.hide(error)
    rest = error.__traceback__
    if sys.version_info < (3, 11):  # where a bare raise brings the frame back
        hook = sys.excepthook
        sys.excepthook = lambda kind, value, _: hook(kind, value.with_traceback(rest), rest)


def _launched() -> str:
    """What runpy will run: a module, a folder or an archive."""
    return sys.argv[1] if sys.argv[0] == "-m" else sys.argv[0]


def _hide_ourselves(joined: int) -> str:
    """The file that Python was told to run, which nothing mentions any more."""
    ours = sys.argv[0]
    at = sys.orig_argv.index(ours)
    del sys.orig_argv[at]
    command_line.rejoin(sys.orig_argv, at, joined)
    del sys.argv[0]
    sys.path_importer_cache.pop(ours, None)
    return ours


def _tell_of_namesake() -> None:
    """Say that the program will not find the package called functrace that it may want."""
    for folder in sys.path:
        package = os.path.join(os.path.abspath(folder), "functrace")
        if os.path.isfile(os.path.join(package, "pyimport", "boot.py")):
            return  # functrace-cli is installed there
        for file in (os.path.join(package, "__init__.py"), f"{package}.py"):
            if os.path.isfile(file):
                write_message(f"{file} is another package: a traced program gets ours instead")
                return


def _leave_to_children(asked: config.Config) -> None:
    """Let Python processes that the program starts follow, or know nothing of us."""
    if asked.children:
        os.environ[config.VARIABLE] = asked.text(quiet=1, joined=0)
    else:
        os.environ.pop(config.VARIABLE, None)


def _set_path(ours: str, first: str) -> None:
    """Put what Python would have put first into ``sys.path``, if it puts anything there."""
    # C takes the folder of the file that a link leads to.
    folder = os.path.dirname(os.path.realpath(ours))
    if sys.path and sys.path[0] == folder:
        sys.path[0] = first
        sys.path_importer_cache.pop(folder, None)


def _main(namespace: dict[str, Any], kind: str, file: str, ours: str) -> None:
    namespace["__loader__"] = SourceFileLoader("__main__", file)
    namespace["__file__"] = file
    if kind == "script":
        sys.path_importer_cache.setdefault(file, None)
        _set_path(ours, os.path.dirname(os.path.realpath(file)))
        return
    _set_path(ours, "")
    if kind == "string":
        namespace["__loader__"] = BuiltinImporter
        del namespace["__file__"], namespace["__cached__"]
        _show_source(file, sys.argv.pop(1))


def _show_source(file: str, source: str) -> None:
    """Let tracebacks show the lines of ``-c``, as Python 3.13 and newer do."""
    if sys.version_info < (3, 13):
        return
    import linecache

    register = vars(linecache)["_register_code"]
    # Newer ones know it by its functions, which are at the same places when instrumented.
    newer = sys.version_info >= (3, 14)
    register(compile(source, file, "exec", dont_inherit=True) if newer else file, source, file)


def _launcher(ours: str) -> Callable[[], object]:
    import runpy
    from _functools import partial  # type: ignore[import-not-found] # functools is never loaded

    run: Any = runpy._run_module_as_main  # type: ignore[attr-defined]
    call: Callable[[], object]
    if sys.argv[0] == "-m":
        _set_path(ours, os.getcwd())
        call = partial(run, sys.argv.pop(1))
        return call
    # Here Python has an absolute path but for argv, and wants no path to be safe.
    archive = os.path.join(os.getcwd(), sys.argv[0])
    _set_path(ours, archive)
    if sys.path[:1] != [archive]:
        sys.path.insert(0, archive)
    call = partial(run, "__main__", False)
    return call
