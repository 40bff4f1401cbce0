"""Instrumentation of the Go files of one package, with a cache of earlier results."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from functrace.cache import entries
from functrace.gobuild.package_filter import import_path_of, symbol_packages_of
from functrace.gobuild.session import Session
from functrace.results import FileResult
from functrace.sources.go.planning import names_declared_elsewhere, plan
from functrace.sources.rewriting import rewrite_text
from functrace.sources.run_request import Verb
from rewriter.filters import Location
from rewriter.golang import Options, find_package_level_names

# Files that the go command and cgo generate.
_GENERATED = frozenset(("_testmain.go", "_cgo_gotypes.go", "_cgo_import.go"))
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Instrumented:
    """One file: its result, and the text for the compiler if it contains a trace call.

    ``key`` is that of its cache entry, empty for files that are never instrumented.
    """

    path: str
    result: FileResult
    text: bytes | None
    key: str = ""


def instrument_package(
    session: Session,
    name: str,
    files: Mapping[str, bytes],
    inlinable: Mapping[str, frozenset[int]],
) -> Iterator[Instrumented]:
    """Yield the instrumented files of the package ``name``; ``files`` maps absolute paths.

    ``inlinable`` maps paths to :attr:`~rewriter.golang.Options.inlinable`.
    """
    declared = {path: find_package_level_names(text) for path, text in files.items()}
    for path, text in files.items():
        if os.path.basename(path) in _GENERATED:
            yield Instrumented(path, FileResult(path), None)
            continue
        others = names_declared_elsewhere(path, declared)
        location = Location(
            session.scope.place(name, path), import_path_of(name), symbol_packages_of(name)
        )
        options = replace(
            session.options,
            location=location,
            package_names=others,
            inlinable=inlinable.get(path, frozenset()),
        )
        key = _key(session.key, path, options, text)
        kept = entries.read(session.cache, key)
        if kept is None:
            kept = _rewritten(path, options, text)
            entries.put(session.cache, key, kept)
        yield _unpacked(path, key, kept)


def _key(key: str, path: str, options: Options, text: bytes) -> str:
    location = options.location
    place = location.path, location.package, location.symbol_packages
    sets = sorted(options.package_names), sorted(options.inlinable)
    about = json.dumps([key, path, *place, *sets])
    return hashlib.sha256(about.encode(errors="surrogateescape") + b"\n" + text).hexdigest()


def _rewritten(path: str, options: Options, text: bytes) -> bytes:
    """Return the cache entry of one file: a line of JSON, then its new text."""
    result, new = rewrite_text(path, text, lambda t: plan(Verb.INJECT, t, options))
    return json.dumps(result.counts()).encode() + b"\n" + (new if result.functions else b"")


def read_instrumented(session: Session, path: str, key: str) -> Instrumented | None:
    """Return an instrumented file by its :attr:`Instrumented.key`, or None if it is not kept."""
    kept = entries.read(session.cache, key)
    return None if kept is None else _unpacked(path, key, kept)


def _unpacked(path: str, key: str, kept: bytes) -> Instrumented:
    about, _, text = kept.partition(b"\n")
    return Instrumented(path, FileResult(**json.loads(about)), text or None, key)


def for_compiler(path: str, text: bytes) -> bytes:
    """Return the text with a ``//line`` directive that refers to the original file."""
    return b"//line " + os.fsencode(path) + b":1:1\n" + text.removeprefix(_BOM)
