"""Answers that a saved page contains, of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, takewhile
from typing import Any
from urllib.parse import quote_plus

from functrace import units
from functrace.text.triage_json import KINDS
from functrace.view import api
from functrace.view.answers import encode, visible_text
from functrace.view.api import chains as chains_api
from functrace.view.api import window as window_api
from functrace.view.function_chains import chains_by_function, has_open_chain
from functrace.view.preparation import prepare
from functrace.view.query import Query
from functrace.view.session import Session
from functrace.view.window import Window

_MAX_TRACKS = 500
_MAX_SLICES = 60_000
_MAX_CALLS = 5_000
_CALLS_PER_PAGE = 1_000
_MAX_FUNCTIONS = 2_000
_MAX_ARROWS = 4_000
_COUNTED_ARROWS = 20_000
"""of each kind"""
_MAX_NODES = 3_000
_MAX_CHAINS = 20
"""chains of one function"""
_MAX_CHAINS_BYTES = 3_000_000
_MAX_CALLS_BYTES = 3_000_000
_MAX_TRIAGE_BYTES = 2_000_000
_MAX_FUNCTIONS_BYTES = 1_000_000
_MAX_REQUESTS_BYTES = 1_000_000
"""requests between services; their chains have as much"""
_MAX_EVENTS = 2_000_000
"""events of traces that are read more often than necessary"""
_MAX_DEPTH = 1024
_FIRST_PX = 1024
_LAST_PX = 1 << 30
_NAMED = ("direction", "function")


class SavedAnswers:
    """Builder of the answers for a window of a session.

    Args:
        session: the traces.
        from_ns: start of the window, from the origin of the session on.
        to_ns: its end.
    """

    def __init__(self, session: Session, from_ns: int, to_ns: int) -> None:
        self._session = session
        self._window = {"from": str(from_ns), "to": str(to_ns)}
        self._limits: list[str] = []
        self._is_large = sum(trace.events for trace in session.traces) > _MAX_EVENTS

    def saved(self) -> dict[str, Any]:
        """Return what the page needs in place of a server."""
        prepare(self._session)
        answers = dict(self._answers())
        notes = answers["session"]["traces"][0]["notes"]
        if self._limits:
            notes.append(
                f"this page contains {', '.join(self._limits)}; a shorter window has more calls"
            )
        since, until = map(int, self._window.values())
        return {"from": since, "to": until, "answers": answers}

    def _answers(self) -> Iterator[tuple[str, Any]]:
        yield "session", self._ask("session")
        triage = self._triage()
        yield "triage", triage
        yield "services", self._services()
        yield "overview", self._ask("overview")
        functions = _fitting(self._ask("functions", limit=_MAX_FUNCTIONS), _MAX_FUNCTIONS_BYTES)
        self._note("functions", len(functions), len(self._session.functions))
        yield "functions", functions
        yield from self._timeline()
        calls = self._calls()
        yield "calls", calls
        is_whole = self._window == {"from": "0", "to": str(self._session.duration_ns)}
        window = {} if is_whole else self._window
        for direction in ("callees", "callers"):
            given = {"direction": direction}
            yield key("flame", given), self._ask("flame", **window, **given, limit=_MAX_NODES)
        yield from self._chains(_functions_of(triage) + [each["name"] for each in functions])

    def _ask(self, endpoint: str, **parameters: object) -> Any:
        query = Query({name: str(value) for name, value in parameters.items()})
        return api.ENDPOINTS[endpoint](self._session, query)

    def _triage(self) -> dict[str, Any]:
        found = self._ask("triage")
        share = _MAX_TRIAGE_BYTES // len(KINDS)
        shown = {kind: _fitting(found[kind], share) for kind in KINDS}
        total = sum(len(found[kind]) for kind in KINDS)
        count = sum(map(len, shown.values()))
        self._note("findings", count, total)
        return {**found, **shown, "more_findings": total - count}

    def _services(self) -> dict[str, Any]:
        found = self._ask("services")
        edges = found["edges"]
        bare = _fitting([{**edge, "chains": []} for edge in edges], _MAX_REQUESTS_BYTES)
        shown = edges[: len(bare)]
        whole = len(_fitting([edge["chains"] for edge in shown], _MAX_REQUESTS_BYTES))
        self._note("routes between services", len(bare), len(edges))
        self._note("routes with their chains", whole, len(edges))
        return {**found, "edges": [*shown[:whole], *bare[whole:]]}

    def _timeline(self) -> Iterator[tuple[str, Any]]:
        tracks = self._ask("tracks", **self._window, limit=_MAX_TRACKS)
        self._note("tracks", len(tracks["tracks"]), tracks["total"])
        yield "tracks", {**tracks, "total": len(tracks["tracks"])}
        numbers = [track["id"] for track in tracks["tracks"]]
        window = self._slices(numbers)
        rows = [row for track in window["tracks"] for row in track["rows"]]
        calls = [count for row in rows for count in row["calls"].tolist()]
        if len(calls) < sum(calls):
            self._note("calls on the timeline one by one", calls.count(1), sum(calls))
        yield "window", window
        yield "requests", self._arrows(numbers) if numbers else []

    def _arrows(self, numbers: list[int]) -> list[dict[str, Any]]:
        tracks = ",".join(map(str, numbers))
        every = self._ask("requests", **self._window, tracks=tracks, limit=_COUNTED_ARROWS)
        is_cut = _COUNTED_ARROWS in Counter(each["kind"] for each in every).values()
        self._note("arrows", min(len(every), _MAX_ARROWS), len(every), is_minimum=is_cut)
        return list(every[:_MAX_ARROWS])

    def _slices(self, numbers: list[int]) -> dict[str, Any]:
        """Return the slices at the finest resolution that the limit permits."""
        since, until = int(self._window["from"]), int(self._window["to"])
        px = _FIRST_PX
        found = window_api.open_windows(self._session, numbers, (since, until), px, _MAX_DEPTH)
        while px < _LAST_PX and _is_merged(found):
            px *= 4
            finer = window_api.open_windows(self._session, numbers, (since, until), px, _MAX_DEPTH)
            if window_api.count_slices(finer) > _MAX_SLICES or not _is_finer(finer, found):
                break
            found = finer
        slices = window_api.as_json(self._session, numbers, found)
        return slices | {"from": since, "to": until}

    def _calls(self) -> dict[str, Any]:
        page = self._ask("calls", **self._window, limit=_CALLS_PER_PAGE)
        calls, total = page["calls"], page["total"]
        for offset in range(len(calls), min(_MAX_CALLS, total), _CALLS_PER_PAGE):
            given = {**self._window, "offset": offset, "limit": _CALLS_PER_PAGE}
            calls += self._ask("calls", **given)["calls"]
        calls = _fitting(calls, _MAX_CALLS_BYTES)
        self._note("calls of the table", len(calls), total)
        return {**page, "calls": calls, "exact": page["exact"] and len(calls) == total}

    def _chains(self, names: list[str]) -> Iterator[tuple[str, Any]]:
        """Yield the chains of functions, until they exceed their share of the page."""
        size = 0
        distinct = list(dict.fromkeys(names))
        left_out = 0
        for count, (name, found) in enumerate(chains_by_function(self._session, distinct)):
            if self._is_large and has_open_chain(found):
                left_out += 1  # an example of it is in no table: the trace would be read again
                continue
            answer = chains_api.report(self._session, found, name, _MAX_CHAINS)
            size += len(encode(answer))
            if size > _MAX_CHAINS_BYTES:
                left_out += len(distinct) - count
                break
            yield key("chains", {"function": visible_text(name)}), answer
        self._note("functions with their chains", len(distinct) - left_out, len(distinct))

    def _note(self, what: str, shown: int, total: int, *, is_minimum: bool = False) -> None:
        if shown < total:
            at_least = "at least " if is_minimum else ""
            self._limits.append(f"{units.count(shown)} of {at_least}{units.count(total)} {what}")


def key(endpoint: str, parameters: dict[str, str]) -> str:
    """Return the key of an answer, as URLSearchParams of a browser encodes parameters."""
    named = [
        f"{name}={quote_plus(parameters[name], safe='*').replace('~', '%7E')}"
        for name in _NAMED
        if name in parameters
    ]
    return f"{endpoint}?{'&'.join(named)}" if named else endpoint


def _fitting(values: list[Any], limit_bytes: int) -> list[Any]:
    """Return the first values, as many as fit."""
    ends = accumulate(len(encode(value)) for value in values)
    count = sum(1 for _ in takewhile(lambda end: end <= limit_bytes, ends))
    return values[:count]


def _functions_of(triage: dict[str, Any]) -> list[str]:
    """Return the functions of all findings."""
    lists = [each for each in triage.values() if isinstance(each, list)]
    findings = [each for every in lists for each in every if isinstance(each, dict)]
    return [each["function"] for each in findings if "function" in each]


def _is_finer(windows: dict[int, Window], others: dict[int, Window]) -> bool:
    """Return whether a window has a better resolution than before: it has limits of its own."""
    return any(
        window.resolution_ns < others[trace].resolution_ns for trace, window in windows.items()
    )


def _is_merged(windows: dict[int, Window]) -> bool:
    rows = (row for each in windows.values() for track in each.tracks for row in track.rows)
    return any((row.calls > 1).any() for row in rows)
