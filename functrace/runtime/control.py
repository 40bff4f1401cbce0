"""Tracing of this process: begun at the first traced function, stopped and started, ended."""

from __future__ import annotations

import atexit

from functrace.runtime import BUILTINS, IS_PRIVILEGED
from functrace.runtime.destination import expand, trace_paths
from functrace.runtime.functions import remembered
from functrace.runtime.messages import say
from functrace.runtime.native import NATIVE, hide
from functrace.runtime.settings import Settings, load
from functrace.runtime.stored import text
from functrace.runtime.system import os
from functrace.runtime.tasks import Tasks

TYPE_CHECKING = False  # what is not needed is not waited for
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

globals()["__builtins__"] = BUILTINS


_PRIVILEGED = "the program has the rights of another user or group (setuid or setgid)"


class Control:
    """What becomes of calls in this process.

    Args:
        version: of functrace.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._settings = Settings()
        self._recorder: Any = None  # a Recorder, of either kind, or a Printer
        self._tasks = Tasks()
        self._is_on = False
        self._folder = ""  # that the program began in
        self._sent_from = ""  # with FUNCTRACE=otlp: where the trace is

    def begin(self) -> None:
        """Do as the environment asks. Says on standard error what cannot be done."""
        if IS_PRIVILEGED:
            if os.environ.get("FUNCTRACE", "off") not in ("", "off"):
                say(f"{_PRIVILEGED}; tracing is off")
            return
        try:
            self._settings = load(os.environ)
            if not _is_main_interpreter():
                return
            if self._settings.mode != "off":
                self._begin(self._settings.mode)
        except (ValueError, OSError, RuntimeError) as error:
            self._recorder = None
            say(f"{_reason(error)}; tracing is off")
            return
        if self._settings.signal:
            from functrace.runtime.signals import toggle_on

            toggle_on(self._settings.signal, hide(self._toggle))

    def add(self, code: CodeType, name: str) -> None:
        """Trace the calls of a code object, which is remembered already."""
        if self._recorder is not None and self._settings.shows(name):
            self._tasks.look()
            self._recorder.add(code, name, _absolute(text(code.co_filename)), code.co_firstlineno)

    def start(self) -> None:
        """Go on with tracing. Raises RuntimeError where it cannot be."""
        if IS_PRIVILEGED:
            raise RuntimeError(f"functrace: {_PRIVILEGED}")
        if not _is_main_interpreter():
            raise RuntimeError("functrace: it is the main interpreter that can be traced")
        if self._recorder is None:
            try:
                self._begin("record")
            except (ValueError, OSError) as error:
                raise RuntimeError(f"functrace: {_reason(error)}") from None
        elif self._recorder.failed:
            raise RuntimeError("functrace: the trace cannot be written any more")
        else:
            self._recorder.start()
        self._is_on = True

    def stop(self) -> None:
        """Trace no more calls until the next start."""
        if self._recorder is not None:
            self._recorder.stop()
        self._is_on = False

    def snapshot(self, path: str) -> None:
        """Copy what has been recorded. Raises RuntimeError, OSError."""
        if self._recorder is None or not self._recorder.path:
            raise RuntimeError("functrace: nothing is being recorded")
        self._recorder.snapshot(path)

    def _toggle(self) -> None:
        try:
            if self._is_on and not (self._recorder is None or self._recorder.failed):
                self.stop()
            else:
                self.start()
        except RuntimeError as error:
            say(str(error).removeprefix("functrace: "))

    def _begin(self, mode: str) -> None:
        self._folder = _current_folder()
        self._recorder = self._printer() if mode == "text" else self._new_recorder()
        self._tasks.attach(self._recorder)
        for code, name in remembered():
            self.add(code, name)
        self._recorder.start()
        self._is_on = True
        atexit.register(hide(self._end))
        if mode != "text":
            os.register_at_fork(after_in_child=hide(self._forked))

    def _end(self) -> None:
        self._recorder.close()
        if self._sent_from:
            from functrace.runtime.sender import wait_if_last

            wait_if_last(self._sent_from)

    def _forked(self) -> None:
        """The file is the parent's: begin another."""
        parents = self._recorder
        if parents is None:
            return
        parents.abandon()
        if parents.failed:
            return
        try:
            self._recorder = self._new_recorder(folder=self._folder)
        except (ValueError, OSError) as error:
            self._recorder = None
            self._is_on = False
            say(f"{_reason(error)}; tracing is off")
            return
        self._tasks.attach(self._recorder)
        if self._is_on:
            self._recorder.start()

    def _printer(self) -> Any:
        from functrace.runtime.printer import Printer

        settings = self._settings
        return Printer(
            expand(settings.out),
            max_size=settings.max_size,
            depth=settings.depth,
            thread=self._tasks.thread,
            current=self._tasks.current,
            say=say,
        )

    def _new_recorder(self, *, folder: str = "") -> Any:
        """Return a recorder with a new file; that of a forked child is below ``folder``."""
        settings = self._settings
        if settings.mode == "otlp":
            return self._live_recorder()
        for number, path in enumerate(trace_paths(settings.out, folder)):
            try:
                recorder = self._recorder_at(path, overwrite=settings.overwrite)
            except FileExistsError:
                # A trace that is there already may be the one of the crash that somebody is
                # after, or another process's.
                continue
            if number and settings.out and not folder:
                say(f"{expand(settings.out)} exists; the trace goes to {path}")
            return recorder
        raise OSError("no name is left for the trace")

    def _live_recorder(self) -> Any:
        """A recorder whose file a sender follows."""
        from functrace.runtime import sender

        path = sender.new_path()
        try:
            recorder = sender.privately(lambda: self._recorder_at(path, overwrite=True))
        except OSError as error:
            raise OSError(f"FUNCTRACE=otlp: {path}: {error.strerror or error}") from None
        try:
            sender.start(path)
        except OSError as error:
            recorder.close()
            os.unlink(path)
            raise OSError(f"FUNCTRACE=otlp: {error}") from None
        self._sent_from = path
        return recorder

    def _recorder_at(self, path: str, *, overwrite: bool) -> Any:
        from functrace.runtime.facts import process_facts

        twin = _twin()
        settings = self._settings
        return twin.Recorder(
            path,
            max_size=settings.max_size,
            overwrite=overwrite,
            depth=settings.depth,
            min_duration=settings.min_duration,
            facts=process_facts(self._version, twin.clock(), os.environ),
            thread=self._tasks.thread,
            current=self._tasks.current,
            say=say,
        )


def _is_main_interpreter() -> bool:
    for name in ("_interpreters", "_xxsubinterpreters"):  # from Python 3.13 on, and before
        try:
            interpreters = __import__(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() == interpreters.get_main())
    return True


def _twin() -> Any:
    """Return the recorder in C, or where it is not built or not wanted, that in Python.

    Raises:
        OSError: it cannot be loaded.
    """
    if NATIVE is not None:
        return NATIVE
    try:
        from functrace.runtime import recorder_python
    except ImportError as error:  # a Python may have been built without ctypes
        raise OSError(f"the recorder in Python cannot be loaded: {error}") from None
    return recorder_python


def _absolute(path: str) -> str:
    """As os.path.abspath has it, which is Python, too, and asks the program's builtins."""
    if path.startswith("/") and "/." not in path and "//" not in path:
        return path
    try:
        return os.path.abspath(path)
    except OSError:  # the current folder is gone
        return path


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"FUNCTRACE_OUT: {os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)
