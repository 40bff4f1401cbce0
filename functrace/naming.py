"""Which functions a glob means, wherever people name functions."""

from __future__ import annotations

import re
from collections.abc import Callable

from rewriter.select import matcher


def matching(glob: str) -> Callable[[str], bool]:
    """Whether a full function name is meant by ``glob``.

    Beside the full name, what stands behind its last ``/`` may match, with or without ``(*…)``
    and ``<locals>``; the last elements of that; and the first with the last: of a method
    ``store.(*Store).Get``, ``store.Store.Get``, ``Store.Get``, ``Get``, ``store.Get``.
    """
    matches = matcher((glob, glob.replace(".<locals>", "")))

    def is_meant(name: str) -> bool:
        short = name.rpartition("/")[2]
        plain = re.sub(r"\(\*|[()]|\.<locals>", "", short)
        package, *parts = plain.split(".")
        ends = (".".join(parts[at:]) for at in range(len(parts)))
        names = (name, short, plain, *ends)
        return any(map(matches, names)) or bool(parts and matches(f"{package}.{parts[-1]}"))

    return is_meant
