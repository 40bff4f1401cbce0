"""Which functions a glob means, wherever people name functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rewriter.filters import compile_globs
from rewriter.import_path import strip_major_version


def short_name(name: str) -> str:
    """Return a function's name behind the last ``/`` of its import path.

    A major version is left out: ``chi.(*Mux).ServeHTTP`` of ``github.com/go-chi/chi/v5``.
    """
    return strip_major_version(name).rpartition("/")[2]


def matching(glob: str) -> Callable[[str], bool]:
    """Whether a full function name is meant by ``glob``.

    Beside the full name, with or without the major version of its module, the short name may
    match, with or without ``(*…)`` and ``<locals>``; the last elements of that; and the first
    with the last: of a method ``store.(*Store).Get``, ``store.Store.Get``, ``Store.Get``, ``Get``,
    ``store.Get``.
    """
    matches = compile_globs((glob, glob.replace(".<locals>", "")))

    def is_meant(name: str) -> bool:
        return any(map(matches, {*_spellings(name), *_spellings(strip_major_version(name))}))

    return is_meant


def _spellings(name: str) -> Iterator[str]:
    short = name.rpartition("/")[2]
    plain = re.sub(r"\(\*|[()]|\.<locals>", "", short)
    package, *parts = plain.split(".")
    yield from (name, short, plain)
    yield from (".".join(parts[at:]) for at in range(len(parts)))
    if parts:
        yield f"{package}.{parts[-1]}"
