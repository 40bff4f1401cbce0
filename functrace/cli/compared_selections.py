"""Arguments of ``functrace diff --store``: selections such as ``shop@1.4[instance=canary-*]``."""

from __future__ import annotations

import re
from dataclasses import replace

from functrace.errors import UsageError
from functrace.rollup.selection import (
    LABELS,
    Selection,
    parse_labels,
    parse_selection,
    parse_time,
)

_SELECTION = re.compile(r"([^\[\]]*)(?:\[([^\[\]]*)\])?")
_TIMES = ("since", "until")


def parse_compared(text: str, now_ns: int, since: str | None, until: str | None) -> Selection:
    """Parse a selection with conditions in brackets.

    Args:
        text: ``SERVICE@RELEASE[KEY=VALUE,...]``; a key is a label, ``since`` or ``until``.
        now_ns: the time that ages are subtracted from, nanoseconds since 1970-01-01 UTC.
        since: the option ``--since``, for a selection that has none of its own.
        until: the option ``--until``.

    Raises:
        UsageError: it is not a selection.
    """
    match = _SELECTION.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is not a selection such as shop@1.4 or shop@1.4[host=web*]")
    pairs = [pair.strip() for pair in (match[2] or "").split(",") if pair.strip()]
    times = {"since": since, "until": until}
    labels = []
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key in times:
            times[key] = value
        elif key in LABELS:
            labels.append(pair)
        else:
            keys = ", ".join((*LABELS, *_TIMES))
            raise UsageError(f"{text}: no such condition as {key}; conditions are {keys}")
    found = parse_selection(match[1]) if match[1] or not pairs else Selection()
    return replace(
        found,
        labels=parse_labels(labels, text),
        since_ns=_time(times["since"], now_ns, "since"),
        until_ns=_time(times["until"], now_ns, "until"),
    )


def _time(text: str | None, now_ns: int, name: str) -> int | None:
    return None if text is None else parse_time(text, now_ns, f"--{name}")
