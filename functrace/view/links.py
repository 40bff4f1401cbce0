"""Links between pages, as fragments of the page's address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from functrace.view.session import Session

_FAILING = ("failing", "swallowed")
_MARGIN = 0.5  # of the duration of a call, on both sides of it


def of_finding(session: Session, finding: dict[str, Any], kind: str) -> dict[str, str]:
    """Return the links of a finding of a triage; none without a function."""
    if "function" not in finding:
        return {}
    found = {"chains": chains(finding["function"], errors=kind in _FAILING)}
    return found | of_example(session, finding["example"])


def of_example(session: Session, example: dict[str, Any] | None) -> dict[str, str]:
    """Return the link to an example call on the timeline, if there is one."""
    if example is None:
        return {}
    paths = [str(trace.path) for trace in session.traces]
    trace = paths.index(example["trace"])
    track = session.traces[trace].tracks.index_of(example["track"])
    start = session.offset_ns(trace) + example["start_ns"]
    number = session.track_id(trace, track)
    return {"timeline": timeline(number, start, example["duration_ns"])}


def chains(function: str, *, errors: bool = False) -> str:
    """Return the link to the chains of a function."""
    return _fragment("chains", function=function, errors="1" if errors else "")


def timeline(track: int, start_ns: int, duration_ns: int | None) -> str:
    """Return the link to a call on the timeline, with some time around it if that is known."""
    select = f"{track}:{start_ns}"
    if duration_ns is None:
        return _fragment("timeline", select=select)
    margin = max(round(duration_ns * _MARGIN), 1)
    since, until = max(start_ns - margin, 0), start_ns + duration_ns + margin
    return _fragment("timeline", **{"from": str(since), "to": str(until)}, select=select)


def _fragment(page: str, **parameters: str) -> str:
    given = {name: value for name, value in parameters.items() if value}
    return f"#/{page}?{urlencode(given, errors='replace')}"
