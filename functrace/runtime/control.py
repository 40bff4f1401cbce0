"""Tracing of this process: begun at the first traced function, stopped, started and ended."""

from __future__ import annotations

import atexit

from functrace.runtime import BUILTINS, IS_PRIVILEGED
from functrace.runtime.environment import Settings, read_settings
from functrace.runtime.native import FALLBACK_WARNING, NATIVE, hide
from functrace.runtime.output_path import expand_path, trace_paths
from functrace.runtime.raw_attributes import exact_str
from functrace.runtime.registry import registered_functions
from functrace.runtime.stderr import write_message
from functrace.runtime.system import os
from functrace.runtime.task_tracks import TaskTracks

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType
    from typing import Any

globals()["__builtins__"] = BUILTINS


_NO_BUDGET = (
    "FUNCTRACE_BUDGET has no effect: before Python 3.12 that takes the recorder in C, and this is"
    " the fallback in Python"
)
_PRIVILEGED = "the program has the rights of another user or group (setuid or setgid)"


class Control:
    """Start and end of tracing in this process.

    Args:
        version: the version of functrace.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._settings = Settings()
        self._recorder: Any = None  # a Recorder, in C or Python, or a Printer
        self._tasks = TaskTracks()
        self._is_on = False
        self._folder = ""  # the directory that the program started in
        self._ring_lock: Any = None  # with FUNCTRACE=ring: an OwnFile
        self._process_key = ""
        self._requests: Any = None  # RequestHooks, unless FUNCTRACE_PROPAGATE is off
        self._sent_path = ""  # with FUNCTRACE=otlp: the path of the trace

    def begin(self) -> None:
        """Begin tracing if the environment requests it. Writes errors to standard error."""
        if IS_PRIVILEGED:
            if os.environ.get("FUNCTRACE", "off") not in ("", "off"):
                write_message(f"{_PRIVILEGED}; tracing is off")
            return
        try:
            self._settings = read_settings(os.environ)
            if not _is_main_interpreter():
                return
            if self._settings.mode != "off":
                self._begin(self._settings.mode)
        except (ValueError, OSError, RuntimeError) as error:
            self._recorder = None
            write_message(f"{_reason(error)}; tracing is off")
            return
        if self._settings.signal:
            _toggle_on_signal(self._settings.signal, hide(self._toggle))

    @property
    def is_recording(self) -> bool:
        """Whether there is a recording, which may be stopped."""
        return self._recorder is not None

    def begin_ring(self, environment: Mapping[str, str]) -> None:
        """Record the registered functions in a ring from now on.

        Raises:
            RuntimeError, ValueError, OSError: that is impossible.
        """
        if IS_PRIVILEGED:
            raise RuntimeError(_PRIVILEGED)
        if not _is_main_interpreter():
            raise RuntimeError("only the main interpreter can be traced")
        self._settings = read_settings({**environment, "FUNCTRACE": "ring"})
        self._begin("ring")

    def add(self, code: CodeType, name: str) -> None:
        """Trace the calls of a registered code object."""
        if self._recorder is not None and self._settings.should_trace(name):
            self._tasks.watch_libraries()
            self._recorder.add(
                code, name, _absolute(exact_str(code.co_filename)), code.co_firstlineno
            )

    def start(self) -> None:
        """Start or resume tracing. Raises RuntimeError if that is impossible."""
        if IS_PRIVILEGED:
            raise RuntimeError(f"functrace: {_PRIVILEGED}")
        if not _is_main_interpreter():
            raise RuntimeError("functrace: only the main interpreter can be traced")
        if self._recorder is None:
            try:
                self._begin("record")
            except (ValueError, OSError) as error:
                raise RuntimeError(f"functrace: {_reason(error)}") from None
        elif self._recorder.failed:
            raise RuntimeError(
                "functrace: cannot resume tracing: the trace file is full or could not be written"
            )
        else:
            self._recorder.start()
        self._set_on(True)

    def stop(self) -> None:
        """Stop tracing calls until the next start."""
        if self._recorder is not None:
            self._recorder.stop()
        self._set_on(False)

    def _set_on(self, is_on: bool) -> None:
        self._is_on = is_on
        if self._ring_lock is not None:
            from functrace.runtime.ring import mark_stopped

            mark_stopped(self._ring_lock, not is_on)

    def snapshot(self, path: str) -> None:
        """Copy the trace recorded so far. Raises RuntimeError, OSError."""
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
            write_message(str(error).removeprefix("functrace: "))

    def _begin(self, mode: str) -> None:
        self._folder = _current_folder()
        self._recorder = self._printer() if mode == "text" else self._new_recorder()
        self._tasks.attach(self._recorder)
        for code, name in registered_functions():
            self.add(code, name)
        self._recorder.start()
        self._is_on = True
        if mode != "text" and self._settings.propagate != "off":
            self._hook_requests()
        atexit.register(hide(self._end))
        if mode != "text":
            os.register_at_fork(after_in_child=hide(self._restart_in_child))

    def _hook_requests(self) -> None:
        from functrace.runtime.requests.hooks import RequestHooks

        settings = self._settings
        self._requests = RequestHooks(
            settings.propagate, keeps_urls=settings.keeps_urls, tasks=self._tasks
        )
        self._requests.attach(self._recorder, self._process_key)
        self._requests.install()

    def _end(self) -> None:
        self._recorder.close()
        if self._sent_path:
            from functrace.runtime.sender_process import wait_for_sender

            wait_for_sender(self._sent_path)

    def _restart_in_child(self) -> None:
        """Begin a new trace in a forked child, because the file belongs to the parent."""
        parents = self._recorder
        if parents is None:
            return
        parents.abandon()
        if self._requests is not None:
            self._requests.attach(None, "0")
        if self._ring_lock is not None:
            self._ring_lock.close()
        if parents.failed:
            return
        try:
            self._recorder = self._new_recorder(folder=self._folder)
        except (ValueError, OSError) as error:
            self._recorder = None
            self._is_on = False
            write_message(f"{_reason(error)}; tracing is off")
            return
        self._tasks.attach(self._recorder)
        if self._requests is not None:
            self._requests.attach(self._recorder, self._process_key)
        if self._is_on:
            self._recorder.start()

    def _printer(self) -> Any:
        from functrace.runtime.printer import Printer

        settings = self._settings
        return Printer(
            expand_path(settings.out),
            max_size=settings.max_size,
            depth=settings.depth,
            describe_thread=self._tasks.describe_thread,
            current_task_track=self._tasks.current_track,
            warn=write_message,
        )

    def _new_recorder(self, *, folder: str = "") -> Any:
        """Return a recorder with a new file; in a forked child, relative to ``folder``."""
        settings = self._settings
        if settings.mode == "otlp":
            return self._live_recorder()
        if settings.mode == "ring":
            return self._ring_recorder()
        for number, path in enumerate(trace_paths(settings.out, folder)):
            try:
                recorder = self._recorder_at(
                    path, max_size=settings.max_size, overwrite=settings.overwrite
                )
            except FileExistsError:
                # An existing trace may be the one of the crash under investigation, or another
                # process's.
                continue
            if number and settings.out and not folder:
                write_message(f"{expand_path(settings.out)} exists; the trace goes to {path}")
            return recorder
        raise OSError("no name is left for the trace")

    def _ring_recorder(self) -> Any:
        """Return a recorder in memory that keeps the latest calls."""
        from functrace.runtime.ring import lock_ring, prepare_ring

        settings = self._settings
        path, size = prepare_ring(
            settings.ring_folder,
            max_size=settings.max_size,
            keep=settings.ring_keep,
            keep_size=settings.ring_keep_size,
            warn=write_message,
        )
        recorder = self._recorder_at(path, max_size=size, overwrite=True)
        self._ring_lock = lock_ring(path)
        return recorder

    def _live_recorder(self) -> Any:
        """Return a recorder whose file is followed by a sender."""
        from functrace.runtime import sender_process

        path = sender_process.new_trace_path()
        try:
            recorder = sender_process.with_private_umask(
                lambda: self._recorder_at(path, max_size=self._settings.max_size, overwrite=True)
            )
        except OSError as error:
            raise OSError(f"FUNCTRACE=otlp: {path}: {error.strerror or error}") from None
        try:
            sender_process.start_sender(path)
        except OSError as error:
            recorder.close()
            os.unlink(path)
            raise OSError(f"FUNCTRACE=otlp: {error}") from None
        self._sent_path = path
        return recorder

    def _recorder_at(self, path: str, *, max_size: int, overwrite: bool) -> Any:
        from functrace.runtime.process_facts import new_process_key, process_facts

        module = _recorder_module()
        settings = self._settings
        self._process_key = new_process_key()
        budget = settings.budget if module.has_budget() else 0.0
        if budget != settings.budget:
            write_message(_NO_BUDGET)
            settings.budget = 0.0  # one message, also if the process is forked
        return module.Recorder(
            path,
            max_size=max_size,
            overwrite=overwrite,
            depth=settings.depth,
            min_duration=settings.min_duration,
            facts=process_facts(
                self._version,
                module.clock(),
                os.environ,
                process_key=self._process_key,
                budget=budget,
                fallback_warning=FALLBACK_WARNING,
            ),
            budget=budget,
            describe_thread=self._tasks.describe_thread,
            current_task_track=self._tasks.current_track,
            warn=write_message,
        )


def _toggle_on_signal(name: str, toggle: Callable[[], None]) -> None:
    """Call ``toggle`` at each signal of that name, USR1 or USR2.

    Only the main thread can install a handler. If another thread calls the first traced function,
    the signal is not handled.
    """
    # Not at the top: they would lengthen the start of programs that set no signal.
    import signal
    from contextlib import suppress

    number = signal.Signals[f"SIG{name}"]
    previous: Any = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        toggle()
        if callable(previous):
            previous(received, frame)

    with suppress(ValueError):  # not the main thread
        signal.signal(number, handle)


def _is_main_interpreter() -> bool:
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        try:
            interpreters = __import__(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() == interpreters.get_main())
    return True


def _recorder_module() -> Any:
    """Return the recorder in C, or its fallback in Python if C is unavailable or disabled.

    Raises:
        OSError: the fallback cannot be loaded.
    """
    if NATIVE is not None:
        return NATIVE
    try:
        from functrace.runtime import recorder_python
    except ImportError as error:  # Python may have been built without ctypes
        raise OSError(f"the recorder in Python cannot be loaded: {error}") from None
    return recorder_python


def _absolute(path: str) -> str:
    """Return an absolute path without os.path.abspath, which would use the program's builtins."""
    if path.startswith("/") and "/." not in path and "//" not in path:
        return path
    try:
        return os.path.abspath(path)
    except OSError:  # the current directory was deleted
        return path


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"FUNCTRACE_OUT: {os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)
