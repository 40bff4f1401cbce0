"""Two traces that contain every kind of record; a tick is a nanosecond."""

from __future__ import annotations

from pathlib import Path

from tests.tracefile import writer as w

_FACTS = w.facts(
    1,
    w.process('{"argv": ["./shop", "-v", "a b"], "tool": "0.1.0"}'),
    w.function(1, "main.main", "main.go", 10),
    w.function(2, "example.com/shop.(*Shop).Sell", 'sh"op.go', 20),
    w.function(3, "main.Map[int;string]", "shop.go", 30),
    w.function(4, "main.work", "work.go", 40),
    w.function(5, "main.walk", "work.go", 50),
    w.function(6, 'main.<&>"\x01 größe', "", 0),
)


def write(folder: Path) -> list[Path]:
    """Write both; they began two milliseconds after one another."""
    first = folder / "a.ftrace"
    first.write_bytes(w.header(flags=3, lost=3) + _FACTS + _server())
    second = folder / "b.ftrace"
    content = bytearray(w.header(flags=0) + _FACTS + _client())
    content[40:48] = (1_700_000_000_002_000_000).to_bytes(8, "little")
    second.write_bytes(bytes(content))
    return [first, second]


def _server() -> bytes:
    """Recursion, failures of all kinds, tracks that wait, one from another, and lost events."""
    walk = [w.enter(5, 20), w.enter(5, 25), w.enter(5, 25), w.leave(5, 40), w.leave(5, 45)]
    return (
        w.events(
            2,
            w.track(1, 1010),
            w.enter(1, 10),
            *walk,
            w.leave(5, 60),
            w.enter(2, 70),
            w.error('no <item> & "13" ]]> größe'),
            w.leave(2, 90),
            w.enter(2, 100),
            w.enter(3, 110),
            w.panic("nil map"),
            w.leave(3, 150),
            w.panic("nil map"),
            w.leave(2, 160),
            w.enter(6, 170),
            w.leave(6, 170),
            w.lost(3),
            w.enter(3, 180),
        )
        + w.events(
            3,
            w.track(7, 1100, kind=3, parent=1, starter=2, line=22, name="Task-2"),
            w.enter(4, 105),
            w.enter(3, 110),
            w.suspended(120),
            w.resumed(420),
            w.leave(3, 430),
            w.suspended(440),
            w.resumed(450),
            w.error('no <item> & "13" ]]> größe'),
            w.leave(4, 460),
            w.enter(4, 500),
            w.panic(value=2),
            w.leave(4, 520),
        )
        + w.events(4, w.track(8, 1190, parent=1, starter=0), w.enter(4, 200), w.leave(4, 1200))
        + w.events(5, w.track(9, 1195, parent=7, starter=4, line=41))
    )


def _client() -> bytes:
    calls = [part for at in range(0, 4000, 10) for part in (w.enter(4, at), w.leave(4, at + 7))]
    return w.events(2, w.track(1, 1000), w.enter(1, 0), *calls, w.enter(2, 5000), size=8192)
