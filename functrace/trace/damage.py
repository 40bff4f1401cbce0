"""Sentences about what a trace says that cannot be."""

from __future__ import annotations

from collections.abc import Iterable


def sentences(counts: Iterable[tuple[int, str, str]]) -> list[str]:
    """A sentence for each count that is not zero, from its forms for one and for several."""
    return [one if count == 1 else f"{count} {many}" for count, one, many in counts if count]
