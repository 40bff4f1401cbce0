"""Writes the traces of services that call each other, one process a trace.

    gateway = Service("gateway", key=0xA)
    track = gateway.track()
    track.enter("main.checkout", 10)
    track.begin_outbound("POST payments/pay", 20, number=1, ids=(32 * "a", 16 * "b"))
    track.end("POST payments/pay", 90, status=200)
    track.leave("main.checkout", 100)
    path = gateway.write(folder)

Ticks are nanoseconds after the service's start.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tracefile import writer as w

INBOUND = 1
OUTBOUND = 2
HTTP = 1
GRPC = 2
STARTED = 1_700_000_000_000_000_000


class Service:
    """Trace of one process of a service.

    Args:
        name: FUNCTRACE_SERVICE; empty if it is not set.
        key: the key of the process; 0: none is recorded.
        started: nanoseconds since 1970 at tick 0.
        pid: process id.
        language: 1 Go, 2 Python.
        facts: more facts of the process, such as `host`.
    """

    def __init__(
        self,
        name: str,
        key: int,
        *,
        started: int = STARTED,
        pid: int = 4_194_303,
        language: int = 1,
        **facts: Any,
    ) -> None:
        self.name = name
        self._header = {"started": started, "pid": pid, "language": language}
        self._process = {"argv": [f"./{name or 'program'}"], **facts}
        if key:
            self._process["process_key"] = f"{key:016x}"
        if name:
            self._process["service"] = name
        self._facts: list[bytes] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._tracks: list[ServiceTrack] = []

    def track(self, start: int = 0, *, parent: int = 0, starter: str = "") -> ServiceTrack:
        """Begin a track; `parent` is the id of the one that starts it."""
        starting = self.number(starter) if starter else 0
        self._tracks.append(
            ServiceTrack(self, len(self._tracks) + 1, start, parent=parent, starter=starting)
        )
        return self._tracks[-1]

    def number(self, name: str, direction: int = 0, protocol: int = HTTP) -> int:
        """Return the number of a function, or of one that stands for requests."""
        key = name, direction
        if key not in self._numbers:
            number = self._numbers[key] = len(self._numbers) + 1
            self._facts.append(
                w.function(number, name, "", 0)
                + w.request_name(number, direction=direction, protocol=protocol)
                if direction
                else w.function(number, name, f"{self.name or 'main'}.go", 10 * number)
            )
        return self._numbers[key]

    def content(self) -> bytes:
        """Return the trace."""
        chunks = [w.facts(1, w.process(json.dumps(self._process)), *self._facts)]
        for sequence, track in enumerate(self._tracks, 2):
            chunks.append(w.events(sequence, *track.words, track=sequence))
        return w.header(version=2, **self._header) + b"".join(chunks)

    def write(self, folder: Path, name: str = "") -> Path:
        """Write the trace into a folder, as `NAME.ftrace`."""
        path = folder / f"{name or self.name}.ftrace"
        path.write_bytes(self.content())
        return path


class ServiceTrack:
    """Words of a track. Begin one with Service.track()."""

    def __init__(self, service: Service, number: int, start: int, **record: int) -> None:
        self._service = service
        self.id = number
        self.words = [w.track(number, 1000 + start, **record)]
        self._directions: list[int] = []

    def enter(self, function: str, ticks: int) -> None:
        """Begin a call."""
        self._directions.append(0)
        self.words.append(w.enter(self._service.number(function), ticks))

    def leave(self, function: str, ticks: int, *, error: str = "") -> None:
        """End the innermost call, which is one of the function."""
        direction = self._directions.pop()
        number = self._service.number(function, direction)
        self.words += [w.error(error)] if error else []
        self.words.append(w.leave(number, ticks))

    def begin_inbound(
        self, name: str, ticks: int, number: int, *, protocol: int = HTTP, **record: Any
    ) -> None:
        """Begin an inbound call; `record` are arguments of writer.request."""
        self._begin(name, ticks, INBOUND, protocol)
        self.words.append(w.request(number, protocol=protocol, **record))

    def begin_outbound(
        self,
        name: str,
        ticks: int,
        number: int,
        *,
        inbound: int = 0,
        protocol: int = HTTP,
        **record: Any,
    ) -> None:
        """Begin an outbound call; `record` are arguments of writer.request."""
        self._begin(name, ticks, OUTBOUND, protocol)
        self.words.append(w.request(number, inbound=inbound, protocol=protocol, **record))

    def _begin(self, name: str, ticks: int, direction: int, protocol: int) -> None:
        self._directions.append(direction)
        self.words.append(w.enter(self._service.number(name, direction, protocol), ticks))

    def end(
        self,
        name: str,
        ticks: int,
        *,
        status: int | None = None,
        grpc: bool = False,
        route: str = "",
        error: str = "",
    ) -> None:
        """End the innermost call, which is a request of this name."""
        if status is not None:
            number = self._service.number(route, INBOUND) if route else 0
            self.words.append(w.status(status, grpc=grpc, route=number))
        self.leave(name, ticks, error=error)
