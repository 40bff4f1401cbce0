"""Edits of the packages with hooks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from functrace.gobuild.request_hooks.sources import read_sources
from rewriter.errors import SourceError
from rewriter.golang import rename_function

_PREFIX = "functrace"


@dataclass(frozen=True)
class _Function:
    """A function to put another one in the place of; ``receiver`` is the type of a method's."""

    name: str
    receiver: str = ""

    @property
    def new_name(self) -> str:
        return _PREFIX + self.name[0].upper() + self.name[1:]

    @property
    def pattern(self) -> re.Pattern[bytes]:
        receiver = rf"\(\w+ {re.escape(self.receiver)}\) " if self.receiver else ""
        return re.compile(rf"^func {receiver}{self.name}\(".encode(), re.MULTILINE)


@dataclass(frozen=True)
class _File:
    """A Go file to add to a package, where the package's text matches ``condition``."""

    name: str
    condition: str = ""


@dataclass(frozen=True)
class _Hook:
    """The hooks of a package: the functions to replace, and for each of ``files`` its variants.

    The first variant whose condition holds is added. ``needs_runtime`` is whether they import it.
    """

    functions: tuple[_Function, ...]
    files: tuple[tuple[_File, ...], ...]
    needs_runtime: bool = True


_BODY = (
    r"^type bodyEOFSignal struct \{\n(?:\t.*\n)*"
    r"\tmu +sync\.Mutex.*\n\tclosed +bool.*\n\trerr +error.*\n"
    r"\tfn +func\(error\) error.*\n\tearlyCloseFn +func\(\) error"
)

HOOKED: Mapping[str, _Hook] = {
    "net/http": _Hook(
        (
            _Function("ServeHTTP", "serverHandler"),
            _Function("roundTrip", "*Transport"),
            _Function("CancelRequest", "*Transport"),
        ),
        (
            (_File("http_requests.go"),),
            (
                _File("http2_bundled.go", r"^type http2responseWriter struct \{\n\trws "),
                _File("http2_internal.go", r"^type http2ResponseWriter struct \{\n\t\*http2\."),
                _File("http2_none.go"),
            ),
            (_File("http_body.go", _BODY), _File("http_body_none.go")),
            (_File("http_route.go", r"^\tPattern string$"), _File("http_route_none.go")),
        ),
    ),
    # Go 1.27 moved HTTP/2 there.
    "net/http/internal/http2": _Hook((), ((_File("http2_status.go"),),), needs_runtime=False),
    "google.golang.org/grpc": _Hook(
        (
            _Function("chainUnaryServerInterceptors"),
            _Function("chainStreamServerInterceptors"),
            _Function("chainUnaryClientInterceptors"),
            _Function("chainStreamClientInterceptors"),
        ),
        ((_File("grpc_requests.go"),),),
    ),
}


@dataclass(frozen=True)
class Hooked:
    """The edited files of a package by their paths, and the names and texts of additional ones."""

    edited: Mapping[str, bytes]
    added: Mapping[str, bytes]
    needs_runtime: bool


def hook(package: str, files: Mapping[str, bytes]) -> Hooked | None:
    """Return the package with hooks, or None if its files are not the expected ones."""
    wanted = HOOKED[package]
    edited: dict[str, bytes] = {}
    for function in wanted.functions:
        found = [path for path, text in files.items() if function.pattern.search(text)]
        if len(found) != 1:
            return None
        text = edited.get(found[0], files[found[0]])
        try:
            new = rename_function(text, function.name, function.new_name, function.receiver)
        except SourceError:
            new = None
        if new is None:
            return None
        edited[found[0]] = new
    return Hooked(edited, dict(_additional(wanted, files)), wanted.needs_runtime)


def _additional(wanted: _Hook, files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    sources = read_sources()
    for variants in wanted.files:
        for variant in variants:
            condition = re.compile(variant.condition.encode(), re.MULTILINE)
            if any(condition.search(text) for text in files.values()):
                yield f"{_PREFIX}_{variant.name}", sources[variant.name]
                break
