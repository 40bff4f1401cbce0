"""Hooks of libraries, installed when the program loads a library."""

from __future__ import annotations

import sys

from functrace.runtime import BUILTINS, MODULES
from functrace.runtime.native import hide
from functrace.runtime.raw_attributes import is_loading
from functrace.runtime.stderr import write_message

TYPE_CHECKING = False  # typing is not imported at run time: it lengthens the start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from functrace.runtime.requests.tracker import Tracker

globals()["__builtins__"] = BUILTINS

_PACKAGE = "functrace.runtime.requests.libraries"

# Modules of libraries, and ours that hooks them.
_LIBRARIES = {
    "aiohttp.client_reqrep": "aiohttp_client",
    "aiohttp.connector": "aiohttp_client",
    "aiohttp.web_protocol": "aiohttp_server",
    "daphne.server": "daphne",
    "django.core.handlers.base": "django",
    "flask.ctx": "flask",
    "grpc._channel": "grpc_client",
    "grpc._server": "grpc_server",
    "grpc.aio._call": "grpc_aio_client",
    "grpc.aio._server": "grpc_aio_server",
    "gunicorn.http.wsgi": "gunicorn",
    "gunicorn.workers.base_async": "gunicorn",
    "gunicorn.workers.gasgi": "gunicorn_asgi",
    "gunicorn.workers.gthread": "gunicorn",
    "gunicorn.workers.sync": "gunicorn",
    "http.client": "http_client",
    "httpx._transports.default": "httpx",
    "hypercorn.app_wrappers": "hypercorn",
    "urllib3.connectionpool": "urllib3",
    "uvicorn.protocols.http.h11_impl": "uvicorn",
    "uvicorn.protocols.http.httptools_impl": "uvicorn",
    "waitress.task": "waitress",
    "werkzeug.serving": "werkzeug",
    "wsgiref.handlers": "wsgiref",
}


class RequestHooks:
    """Hooks of the libraries of this process.

    Args:
        propagate: FUNCTRACE_PROPAGATE.
        keeps_urls: whether FUNCTRACE_REQUEST_URLS is full.
        tasks: TaskTracks, which get hold of the inbound call that starts a thread or work.
    """

    def __init__(self, propagate: str, *, keeps_urls: bool, tasks: Any) -> None:
        self._propagate = propagate
        self._keeps_urls = keeps_urls
        self._tasks = tasks
        self._tracker: Tracker | None = None
        self._recorder: Any = None
        self._process_key = ""
        self._unseen = dict(_LIBRARIES)

    def attach(self, recorder: Any, process_key: str) -> None:
        """Record with this recorder from now on."""
        self._recorder, self._process_key = recorder, process_key
        if self._tracker is not None:
            self._tracker.attach(recorder, process_key)

    def install(self) -> None:
        """Hook the libraries that are loaded, and the others when they are."""
        sys.meta_path.insert(0, _Finder(self._find_spec))
        self._hook_loaded()

    def _hook_loaded(self) -> None:
        for name in list(self._unseen):
            module = MODULES.get(name)
            if module is not None and not is_loading(module):
                self._hook(name, module)

    def _hook(self, name: str, module: Any) -> None:
        """Hook a module that has been loaded."""
        file = self._unseen.pop(name, None)
        if file is None:
            return
        try:
            ours: Any = __import__(f"{_PACKAGE}.{file}", fromlist=["install"])
            ours.install(self._get_tracker(), module)
        except Exception as error:  # noqa: BLE001  the program must run on
            from functrace.runtime.exception_text import describe_exception

            reason = describe_exception(error).decode()
            write_message(f"requests of {name} are not recorded: {reason}")

    def _get_tracker(self) -> Tracker:
        if self._tracker is None:
            from functrace.runtime.requests.parts import current_inbound
            from functrace.runtime.requests.tracker import Tracker

            self._tracker = Tracker(self._propagate, keeps_urls=self._keeps_urls, tasks=self._tasks)
            self._tracker.attach(self._recorder, self._process_key)
            self._tasks.follow_inbound(current_inbound)
        return self._tracker

    def _find_spec(self, finder: _Finder, name: str, path: Any, target: Any) -> Any:
        """Return the spec of a library's module, whose loader will hook it."""
        if name not in self._unseen:
            return None
        for other in list(sys.meta_path):
            if other is finder or not hasattr(other, "find_spec"):
                continue
            spec = other.find_spec(name, path, target)
            if spec is not None:
                _call_after_loading(spec.loader, hide(lambda module: self._hook(name, module)))
                return spec
        return None


class _Finder:
    """Finder on sys.meta_path that finds nothing but the modules to hook."""

    def __init__(self, find: Callable[..., Any]) -> None:
        def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
            return find(self, name, path, target) if name in _LIBRARIES else None

        self.find_spec = hide(find_spec)  # each import of the program calls it


def _call_after_loading(loader: Any, function: Callable[[Any], None]) -> None:
    """Call ``function`` with the module that a loader has loaded, once."""

    def exec_module(module: Any) -> None:
        vars(loader).pop("exec_module", None)
        loader.exec_module(module)
        function(module)

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader without a dictionary, which is none of a source file
        return
