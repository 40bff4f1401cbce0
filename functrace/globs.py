"""Globs that select functions by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rewriter.filters import compile_globs
from rewriter.import_path import strip_major_version


def short_name(name: str) -> str:
    """Return a function's name after the last ``/`` of its import path.

    A major version is removed: ``chi.(*Mux).ServeHTTP`` of ``github.com/go-chi/chi/v5``.
    """
    return strip_major_version(name).rpartition("/")[2]


def compile_glob(glob: str) -> Callable[[str], bool]:
    """Return a predicate that is true for full function names that match ``glob``.

    The glob may match the full name, with or without the major version of its module; the
    short name, with or without ``(*…)`` and ``<locals>``; the short name's last elements; or its
    first and last element. A method ``store.(*Store).Get`` is also ``store.Store.Get``,
    ``Store.Get``, ``Get`` and ``store.Get``.
    """
    matches = compile_globs((glob, glob.replace(".<locals>", "")))

    def matches_name(name: str) -> bool:
        return any(map(matches, {*_spellings(name), *_spellings(strip_major_version(name))}))

    return matches_name


def _spellings(name: str) -> Iterator[str]:
    short = name.rpartition("/")[2]
    plain = re.sub(r"\(\*|[()]|\.<locals>", "", short)
    package, *parts = plain.split(".")
    yield from (name, short, plain)
    yield from (".".join(parts[at:]) for at in range(len(parts)))
    if parts:
        yield f"{package}.{parts[-1]}"
