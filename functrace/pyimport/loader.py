"""The hook: what compiles a module for the loaders that Python has for sources.

Every finder, Python's own and others', ends in such a loader, and so do ``runpy``,
``importlib.util.spec_from_file_location`` and lazy loaders. So it is their ``get_code`` that is
ours, and nothing about finders, specs and modules is different. A loader that compiles in a way
of its own is left alone.
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
from functrace.pyimport.module_filter import Scope
from functrace.runtime.stderr import write_message
from functrace.runtime.system import os

TYPE_CHECKING = False  # typing is nothing that every program loads
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from functrace.pyimport.config import Config

# Modules behind whose last statement something of ours is done, whether they are traced or not.
_FOOTERS = {
    "_pytest.assertion.rewrite": "functrace.pyimport.pytest_rewrite",
    "multiprocessing.spawn": "functrace.pyimport.main_again",
}
# Frames of this name Python takes out of the traceback of an import that failed.
_INTERNAL = "<frozen importlib._bootstrap_external>"

_from_files = SourceFileLoader.get_code
_compile = SourceFileLoader.source_to_code
_from_archives = zipimport.zipimporter.get_code


class Hook:
    """What is instrumented in this process, and how much of it has been.

    Attributes:
        config: what was asked for.
        scope: which modules are instrumented.
        flags: those that decide what is compiled.
        compiler: the process that compiles.
        key: stands for all of that.
        counts: how many functions of each file were instrumented.
    """

    def __init__(self, config: Config, functions: int) -> None:
        self.config = config
        self.scope = Scope(config)
        self.flags = flags.of_this_process()
        self.compiler = Compiler(sys.executable, config.text(), self.flags)
        self.key = f"{code_cache.MAGIC.hex()}{config.key(self.flags)}"  # Pythons may take turns
        self.counts = {"__main__": functions}

    def code(self, loader: Any, name: str, file: str) -> CodeType | None:
        """The code of a module, or None for what the loader itself makes of it."""
        traced = self.scope.takes(name, file)
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
            found = self._compiled(loader, name, file, stats, stamp, key, traced, footer)
        if found is None:
            return None
        functions, code = found
        if traced:
            self.counts[file] = functions
        return code

    def _compiled(
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
        asked = (name, file, source, stats, key, traced, footer, self.flags.optimize)
        reply = self.compiler.ask("module", *asked)
        if reply is None:
            write_message(f"{file} is not traced: the process that instruments cannot be run")
            return None
        content, warned, left = reply
        if left:
            write_message(f"{file} is not traced: {left}")
        if not content:
            return None
        if not all(warn(kind, text, file, line) for kind, text, line in warned):
            entries.remove(self.config.cache, key)
            return None
        return code_cache.unpack(content, stamp)

    def tell(self) -> None:
        """What has been instrumented, on standard error."""
        functions, modules = sum(self.counts.values()), sum(map(bool, self.counts.values()))
        what = f"{_several(functions, 'function')} of {_several(modules, 'module')} instrumented"
        if not functions:
            rest = " in this process" if self.config.children else ", so nothing was traced"
            what = f"no function instrumented{rest}"
        write_message(what, "functrace run")


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


hook: Hook


def install(config: Config, functions: int = 0) -> None:
    """Instrument what is imported from here on.

    Args:
        config: what is to be instrumented.
        functions: how many of the main module are.
    """
    global hook
    functrace.trace(len)  # if anything is to be traced, this loads what the runtime needs
    hook = Hook(config, functions)
    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    zipimport.zipimporter.get_code = get_code_of_archive  # type: ignore[method-assign,assignment]
    os.register_at_fork(after_in_child=hook.compiler.forget)
    if not config.quiet:
        atexit.register(_at_exit, hook, os.getpid())


def _at_exit(installed: Hook, pid: int) -> None:
    if os.getpid() == pid:
        installed.tell()


def get_code(self: Any, fullname: str) -> CodeType | None:
    """``SourceFileLoader.get_code``: instrumented, from our cache, or what it was."""
    if type(self).source_to_code is _compile:
        code = hook.code(self, fullname, self.get_filename(fullname))
        if code is not None:
            return code
    try:
        return _from_files(self, fullname)
    except BaseException as error:
        hide(error)
        raise


def get_code_of_archive(self: Any, fullname: str) -> CodeType | None:
    """The same for ``zipimporter``."""
    file = self.get_filename(fullname)
    if file.endswith(".py"):
        code = hook.code(self, fullname, file)
        if code is not None:
            return code
    try:
        return _from_archives(self, fullname)
    except BaseException as error:
        hide(error)
        raise


def hide(error: BaseException) -> None:
    """Take our frame, the outermost, out of a traceback: up to Python 3.10 in vain."""
    trace = error.__traceback__
    error.__traceback__ = trace.tb_next if trace is not None else None


for _function in (get_code, get_code_of_archive):
    _function.__code__ = _function.__code__.replace(co_filename=_INTERNAL)


def _stats(loader: Any, file: str) -> tuple[float, int]:
    """Modification time and size of a source, or of the archive that it is in."""
    if isinstance(loader, zipimport.zipimporter):
        found = os.stat(loader.archive)
        return found.st_mtime, found.st_size
    told = loader.path_stats(file)
    return told["mtime"], told["size"]


def warn(category: str, text: str, file: str, line: int) -> bool:
    """Pass on a compiler's warning, by the program's own filters: False where it is an error.

    Python's own compiler has to raise that, as it knows the place.
    """
    import builtins
    import warnings

    kind = getattr(builtins, category, SyntaxWarning)
    try:
        warnings.warn_explicit(text, kind, file, line)
    except kind:
        return False
    return True
