"""Descriptions of anomalies in a trace."""

from __future__ import annotations

from collections.abc import Iterable


def sentences(counts: Iterable[tuple[int, str, str]]) -> list[str]:
    """Return a sentence for each nonzero count, from its singular and plural forms."""
    return [one if count == 1 else f"{count} {many}" for count, one, many in counts if count]
