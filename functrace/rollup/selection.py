"""Selection of rollups in a store, by labels and time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain

from functrace import units
from functrace.errors import UsageError
from functrace.rollup.layout import Partition
from functrace.rollup.rollup import HOUR_NS
from functrace.runtime.escaping import escape
from functrace.tracefile.facts import encodable

LABELS = ("service", "release", "instance", "host", "build")
"""names of the labels by which rollups are selected"""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MAX_TIME_NS = (1 << 63) - 1  # in the year 2262; times of windows are int64
_WILDCARDS = {"*": ".*", "?": "."}


@dataclass(frozen=True)
class Selection:
    """Selection of the rows of a store. Every condition that is given must hold.

    Globs match a whole label: ``*`` stands for any characters and ``?`` for one. No glob: all.

    Raises:
        UsageError: a glob is not valid UTF-8.
    """

    services: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    """a label of LABELS and a glob each; of several globs of a label, one must match"""
    since_ns: int | None = None
    """Select windows that end after this time, nanoseconds since 1970-01-01 UTC."""
    until_ns: int | None = None
    """Select windows that begin before this time."""

    def __post_init__(self) -> None:
        """Check that the globs are text."""
        for label in LABELS:
            for glob in chain.from_iterable(self.globs(label)):
                if encodable(glob) != glob:
                    raise UsageError(f"{label} {escape(glob)}: not valid UTF-8")

    def globs(self, label: str) -> tuple[tuple[str, ...], ...]:
        """Return lists of globs of a label. One glob of each list must match."""
        own = {"service": self.services, "release": self.releases, "instance": self.instances}
        others = tuple(glob for name, glob in self.labels if name == label)
        return tuple(globs for globs in (own.get(label, ()), others) if globs)

    def matches(self, label: str, value: str) -> bool:
        """Return whether a label may have a value."""
        return all(label_filter(globs)(value) for globs in self.globs(label))

    def has(self, partition: Partition) -> bool:
        """Return whether a partition may have selected rows."""
        start = (partition.start - _EPOCH).days * 24 * HOUR_NS + partition.start.hour * HOUR_NS
        return (
            self.matches("service", partition.service)
            and (self.until_ns is None or start < self.until_ns)
            and (self.since_ns is None or start + HOUR_NS > self.since_ns)
        )


def label_filter(globs: Iterable[str]) -> Callable[[str], bool]:
    """Return a predicate that is true for labels that a glob matches as a whole."""
    pattern = re.compile("|".join(map(regular_expression, globs)) or "(?!)", re.DOTALL)
    return lambda value: pattern.fullmatch(value) is not None


def regular_expression(glob: str) -> str:
    """Return the regular expression of a glob of labels."""
    return "".join(_WILDCARDS.get(character, re.escape(character)) for character in glob)


def parse_selection(text: str) -> Selection:
    """Parse ``service@release``, such as ``shop@1.4``; each part is a glob and may be left out.

    Raises:
        UsageError: both parts are empty.
    """
    service, separator, release = text.rpartition("@")
    if not separator:
        service, release = text, ""
    if not service and not release:
        raise UsageError(f"{text or 'an empty text'} is not a selection such as shop@1.4 or shop")
    return Selection(services=(service,) if service else (), releases=(release,) if release else ())


def parse_labels(pairs: Sequence[str], option: str = "--label") -> tuple[tuple[str, str], ...]:
    """Parse labels such as ``host=web*``.

    Raises:
        UsageError: a pair has no ``=``, or there is no such label.
    """
    found = []
    for pair in pairs:
        name, separator, glob = pair.partition("=")
        if not separator:
            raise UsageError(f"{option} {pair}: not a label and a glob such as host=web*")
        if name not in LABELS:
            raise UsageError(f"{option} {pair}: no such label; labels are {', '.join(LABELS)}")
        found.append((name, glob))
    return tuple(found)


def parse_time(text: str, now_ns: int, option: str = "") -> int:
    """Parse a time: an age such as ``24h`` or ``7d``, or ``2026-11-27T15:00``, in UTC by default.

    Args:
        text: the time.
        now_ns: the time of which an age is subtracted, nanoseconds since 1970-01-01 UTC.
        option: the option that it was given to, for messages.

    Returns:
        Nanoseconds since 1970-01-01 UTC, from 0 to the largest int64.

    Raises:
        UsageError: the text is neither.
    """
    try:
        return max(now_ns - units.parse_duration(text), 0)
    except UsageError:
        return _parse_iso(text, option)


def _parse_iso(text: str, option: str) -> int:
    plain = f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text
    try:
        found = datetime.fromisoformat(plain)
        aware = found if found.tzinfo else found.replace(tzinfo=timezone.utc)
        passed = aware - _EPOCH
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text}: not an age such as 24h or 7d, or a time such as 2026-11-27T15:00"
        ) from None
    microseconds = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return min(max(microseconds * 1000, 0), _MAX_TIME_NS)
