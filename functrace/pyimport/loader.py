"""Import hook: replaces ``get_code`` of Python's source loaders.

Every finder ends in such a loader, and so do ``runpy``,
``importlib.util.spec_from_file_location`` and lazy loaders. Therefore only ``get_code`` is
replaced; finders, specs and modules stay unchanged. A loader with its own ``source_to_code`` is
not instrumented.
"""

from __future__ import annotations

import atexit
import sys
import zipimport
from _frozen_importlib_external import SourceFileLoader

import functrace
from functrace.cache import entries
from functrace.pyimport import code_cache, flags
from functrace.pyimport.compile_client import Compiler
from functrace.pyimport.module_filter import ModuleFilter
from functrace.runtime.stderr import write_message
from functrace.runtime.system import os

TYPE_CHECKING = False  # importing typing would slow every program's start
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from functrace.pyimport.config import Config

# Modules to which a call of ``adapt`` is appended, whether they are traced or not.
_FOOTERS = {
    "_pytest.assertion.rewrite": "functrace.pyimport.pytest_rewrite",
    "multiprocessing.spawn": "functrace.pyimport.main_again",
}
# Python removes frames of this file from the traceback of a failed import.
_INTERNAL = "<frozen importlib._bootstrap_external>"

_from_files = SourceFileLoader.get_code
_compile = SourceFileLoader.source_to_code
_from_archives = zipimport.zipimporter.get_code


class Hook:
    """State of the import hook in this process.

    Attributes:
        config: the configuration.
        filter: the selection of modules to instrument.
        flags: the interpreter flags that affect compiled code.
        compiler: the client of the compile server.
        key: the part of cache keys that depends on all of these.
        counts: the number of instrumented functions per file.
        is_recorded: whether the environment requests a recording.
    """

    def __init__(self, config: Config, functions: int) -> None:
        self.config = config
        self.filter = ModuleFilter(config)
        self.flags = flags.of_this_process()
        self.compiler = Compiler(sys.executable, config.text(), self.flags)
        # Several Pythons may share the cache.
        self.key = f"{code_cache.MAGIC.hex()}{config.key(self.flags)}"
        self.counts = {"__main__": functions}
        self.is_recorded = os.environ.get("FUNCTRACE") in ("record", "ring", "otlp")

    def code(self, loader: Any, name: str, file: str) -> CodeType | None:
        """Return the instrumented code of a module, or None if the loader must compile it."""
        traced = self.filter.is_selected(name, file)
        footer = _FOOTERS.get(name, "")
        if not traced and not footer:
            return None
        try:
            stats = _stats(loader, file)
        except OSError:
            return None
        stamp = code_cache.Stamp(*stats)
        key = code_cache.digest(f"{self.key}\0{traced}\0{footer}\0{name}\0{file}")
        found = code_cache.unpack(entries.read(self.config.cache, key), stamp)
        if found is None:
            found = self._compile_module(loader, name, file, stats, stamp, key, traced, footer)
        if found is None:
            return None
        functions, code = found
        if traced:
            self.counts[file] = functions
        return code

    def _compile_module(
        self,
        loader: Any,
        name: str,
        file: str,
        stats: tuple[float, int],
        stamp: code_cache.Stamp,
        key: str,
        traced: bool,
        footer: str,
    ) -> tuple[int, CodeType] | None:
        source = loader.get_data(file)
        arguments = (name, file, source, stats, key, traced, footer, self.flags.optimize)
        reply = self.compiler.request("module", *arguments)
        if reply is None:
            write_message(
                f"{file} is not traced: the process that instruments sources did not start"
            )
            return None
        content, warned, skip_reason = reply
        if skip_reason:
            write_message(f"{file} is not traced: {skip_reason}")
        if not content:
            return None
        if not all(warn(kind, text, file, line) for kind, text, line in warned):
            entries.remove(self.config.cache, key)
            return None
        return code_cache.unpack(content, stamp)

    def write_summary(self) -> None:
        """Write counts of instrumented functions and modules to standard error."""
        functions, modules = sum(self.counts.values()), sum(map(bool, self.counts.values()))
        message = f"{_count(functions, 'function')} of {_count(modules, 'module')} instrumented"
        if not functions:
            scope = " in this process" if self.config.children else ", so nothing was traced"
            message = f"no function was instrumented{scope}"
        write_message(message, "functrace run")
        # With --record, functrace run itself reads this from the trace.
        if self.is_recorded and functions and not self.config.record:
            from functrace.runtime.native import FALLBACK_WARNING

            if FALLBACK_WARNING:
                write_message(FALLBACK_WARNING, "functrace run")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


hook: Hook


def install(config: Config, functions: int = 0) -> None:
    """Instrument the modules that are imported from now on.

    Args:
        config: the configuration.
        functions: the number of instrumented functions of the main module.
    """
    global hook
    functrace.trace(len)  # loads what the runtime needs, if it is enabled
    hook = Hook(config, functions)
    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    zipimport.zipimporter.get_code = get_code_of_archive  # type: ignore[method-assign,assignment]
    os.register_at_fork(after_in_child=hook.compiler.reset)
    if not config.quiet:
        atexit.register(_at_exit, hook, os.getpid())


def _at_exit(installed: Hook, pid: int) -> None:
    if os.getpid() == pid:
        installed.write_summary()


def get_code(self: Any, fullname: str) -> CodeType | None:
    """Replace ``SourceFileLoader.get_code``: return instrumented code, or the original's result."""
    if type(self).source_to_code is _compile:
        code = hook.code(self, fullname, self.get_filename(fullname))
        if code is not None:
            return code
    try:
        return _from_files(self, fullname)
    except BaseException as error:
        hide_frame(error)
        raise


def get_code_of_archive(self: Any, fullname: str) -> CodeType | None:
    """Replace ``zipimporter.get_code`` in the same way."""
    file = self.get_filename(fullname)
    if file.endswith(".py"):
        code = hook.code(self, fullname, file)
        if code is not None:
            return code
    try:
        return _from_archives(self, fullname)
    except BaseException as error:
        hide_frame(error)
        raise


def hide_frame(error: BaseException) -> None:
    """Remove the outermost frame, the hook's, from a traceback; Python 3.10 restores it."""
    trace = error.__traceback__
    error.__traceback__ = trace.tb_next if trace is not None else None


for _function in (get_code, get_code_of_archive):
    _function.__code__ = _function.__code__.replace(co_filename=_INTERNAL)


def _stats(loader: Any, file: str) -> tuple[float, int]:
    """Return modification time and size of a source, or of the archive that contains it."""
    if isinstance(loader, zipimport.zipimporter):
        found = os.stat(loader.archive)
        return found.st_mtime, found.st_size
    stats = loader.path_stats(file)
    return stats["mtime"], stats["size"]


def warn(category: str, text: str, file: str, line: int) -> bool:
    """Issue a compiler warning; return False if the program's filters make it an error.

    Python's own compiler must raise the error, since it knows the position.
    """
    import builtins
    import warnings

    kind = getattr(builtins, category, SyntaxWarning)
    try:
        warnings.warn_explicit(text, kind, file, line)
    except kind:
        return False
    return True
