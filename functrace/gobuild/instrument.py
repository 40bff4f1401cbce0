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
from functrace.sources.request import Verb
from functrace.sources.rewriting import rewrite_text
from rewriter.filters import Location
from rewriter.golang import Options, find_package_level_names

# Files that the go command and cgo generate.
_GENERATED = frozenset(("_testmain.go", "_cgo_gotypes.go", "_cgo_import.go"))
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Instrumented:
    """One file: its result, and the text for the compiler if it contains a trace call."""

    path: str
    result: FileResult
    text: bytes | None


def instrument_package(
    session: Session, name: str, files: Mapping[str, bytes]
) -> Iterator[Instrumented]:
    """Yield the instrumented files of the package ``name``; ``files`` maps absolute paths."""
    declared = {path: find_package_level_names(text) for path, text in files.items()}
    for path, text in files.items():
        if os.path.basename(path) in _GENERATED:
            yield Instrumented(path, FileResult(path), None)
            continue
        others = names_declared_elsewhere(path, declared)
        location = Location(
            session.scope.place(name, path), import_path_of(name), symbol_packages_of(name)
        )
        options = replace(session.options, location=location, package_names=others)
        key = _key(session.key, path, options, text)
        kept = entries.read(session.cache, key)
        if kept is None:
            kept = _rewritten(path, options, text)
            entries.put(session.cache, key, kept)
        yield _unpacked(path, kept)


def _key(key: str, path: str, options: Options, text: bytes) -> str:
    location = options.location
    place = location.path, location.package, location.symbol_packages
    about = json.dumps([key, path, *place, sorted(options.package_names)])
    return hashlib.sha256(about.encode(errors="surrogateescape") + b"\n" + text).hexdigest()


def _rewritten(path: str, options: Options, text: bytes) -> bytes:
    """Return the cache entry of one file: a line of JSON, then its new text."""
    result, new = rewrite_text(path, text, lambda t: plan(Verb.INJECT, t, options))
    return json.dumps(result.counts()).encode() + b"\n" + (new if result.functions else b"")


def _unpacked(path: str, kept: bytes) -> Instrumented:
    about, _, text = kept.partition(b"\n")
    return Instrumented(path, FileResult(**json.loads(about)), text or None)


def for_compiler(path: str, text: bytes) -> bytes:
    """Return the text with a ``//line`` directive that refers to the original file."""
    return b"//line " + os.fsencode(path) + b":1:1\n" + text.removeprefix(_BOM)
