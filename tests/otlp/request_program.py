"""Random programs that receive and send requests on several tracks, such as pools of workers."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.tracefile.services import GRPC, HTTP, Service, ServiceTrack

_INBOUND = {HTTP: "POST /pay", GRPC: "grpc store.Store/Get"}
_OUTBOUND = {HTTP: "POST mailer/send", GRPC: "grpc mail.Mail/Send"}
_FUNCTIONS = ("main.serve", "main.work", "main.price")
_PROCESS = 0xA
_OTHER_PROCESS = 0xB


class RequestProgram:
    """A program whose tracks are known in advance: no track begins in a request.

    Args:
        seed: of what it does.
        steps: number of calls that begin or end.
    """

    def __init__(self, seed: int, steps: int) -> None:
        self._random = Random(seed)
        self._service = Service("gateway", key=_PROCESS)
        self._open: dict[int, list[tuple[str, int]]] = {}
        """kind and number or name of the open calls, by track"""
        self._names: dict[int, str] = {}
        self._number = 0
        tracks = [self._service.track() for _ in range(4)]
        for now in range(10, 10 + 5 * steps, 5):
            self._step(self._random.choice(tracks), now + self._random.randrange(5))

    def write(self, folder: Path) -> Path:
        """Write its trace."""
        return self._service.write(folder)

    def _step(self, track: ServiceTrack, now: int) -> None:
        calls = self._open.setdefault(track.id, [])
        if calls and self._random.random() < 0.48:
            self._end(track, now, *calls.pop())
            return
        kind = self._random.choice(("function", "function", "inbound", "outbound", "outbound"))
        if kind == "function":
            name = self._random.choice(_FUNCTIONS)
            track.enter(name, now)
            calls.append((name, 0))
            return
        self._number += 1
        if kind == "inbound":
            self._receive(track, now)
        else:
            self._send(track, now)
        calls.append((kind, self._number))

    def _receive(self, track: ServiceTrack, now: int) -> None:
        chance = self._random.random()
        protocol = self._random.choice((HTTP, GRPC))
        self._names[self._number] = _INBOUND[protocol]
        track.begin_inbound(
            _INBOUND[protocol],
            now,
            self._number,
            protocol=protocol,
            ids=self._ids() if chance < 0.7 else None,
            minted=chance < 0.2,
            ft=(_OTHER_PROCESS, self._random.randrange(9)) if chance < 0.4 else None,
        )

    def _send(self, track: ServiceTrack, now: int) -> None:
        chance = self._random.random()
        protocol = self._random.choice((HTTP, GRPC))
        self._names[self._number] = _OUTBOUND[protocol]
        inbound = [each for calls in self._open.values() for each in _inbound(calls)]
        unknown = [] if _inbound(self._open[track.id]) else [0]
        inbound_or_ended = [*inbound, *unknown, self._random.randrange(1, self._number + 1)]
        track.begin_outbound(
            _OUTBOUND[protocol],
            now,
            self._number,
            protocol=protocol,
            inbound=self._random.choice(inbound_or_ended),
            ids=self._ids() if chance < 0.7 else None,
            minted=chance < 0.4,
            sampled=chance < 0.3,
        )

    def _ids(self) -> tuple[str, str]:
        """Return ids of a few traces, so that several requests are of the same."""
        return f"{self._random.randrange(1, 6):032x}", f"{self._random.getrandbits(64) or 1:016x}"

    def _end(self, track: ServiceTrack, now: int, kind: str, number: int) -> None:
        is_failed = self._random.random() < 0.3
        if not number:
            track.leave(kind, now, error="item 13 is locked" if is_failed else "")
            return
        is_grpc = self._names[number].startswith("grpc")
        status = (5 if is_failed else 0) if is_grpc else 503 if is_failed else 200
        has_route = kind == "inbound" and not is_grpc and self._random.random() < 0.5
        track.end(
            self._names[number],
            now,
            status=status if self._random.random() < 0.8 else None,
            grpc=is_grpc,
            route="POST /{action}" if has_route else "",
            error="failed" if is_failed else "",
        )


def _inbound(calls: list[tuple[str, int]]) -> list[int]:
    """Return the numbers of the inbound calls among open calls."""
    return [number for kind, number in calls if kind == "inbound"]
