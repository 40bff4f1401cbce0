"""Files of the page, as `make web` built them."""

from __future__ import annotations

from importlib import resources

from functrace.errors import FunctraceError
from functrace.view.answers import Answer

_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
}


def read(name: str) -> bytes:
    """Return the content of one of the files.

    Raises:
        FunctraceError: the file was not built.
    """
    try:
        return resources.files("functrace.view").joinpath("web", "dist", name).read_bytes()
    except FileNotFoundError:
        raise FunctraceError(f"{name} was not built; run make web") from None


def answer(path: str) -> Answer | None:
    """Return the file at a path below the token; None if there is none."""
    name = path or "index.html"
    if name not in _TYPES:
        return None
    return Answer(200, _TYPES[name], read(name))
