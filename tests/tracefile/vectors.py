"""The traces of tests/vectors. Run as a module, it writes them, with what the reader makes of them.

A change of a vector's JSON is a change of the format's meaning: read it before you keep it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.tracefile import writer as w
from tests.tracefile.converted import as_version_2
from tests.tracefile.meaning import meaning

FOLDER = Path(__file__).parents[1] / "vectors"
FOLDER_OF_VERSION_1 = FOLDER / "version_1"

VERSION_1 = {
    "empty": w.header(),
    "calls": w.header()
    + w.FUNCTIONS
    + w.events(
        2,
        w.track(1, 1010, name="main"),
        w.enter(1, 10),
        w.enter(2, 20),
        w.enter(3, 25),
        w.leave(3, 30),
        w.error("out of stock"),
        w.leave(2, 40),
        w.enter(2, 50),
        w.panic("index out of range"),
        w.leave(2, 60),
        w.panic(value=2),
        w.leave(1, 90),
    ),
    "goroutines": w.header()
    + w.FUNCTIONS
    + w.events(2, w.track(1, 1010), w.enter(1, 10), w.enter(2, 20), w.enter(3, 50))
    # started by a call that is open, by one that has ended, by a function never called here
    + w.events(3, w.track(7, 1030, parent=1, starter=2, line=22), w.enter(4, 30), w.leave(4, 45))
    + w.events(4, w.leave(3, 60), w.leave(2, 70), w.leave(1, 100), track=1, opened=3)
    + w.events(5, w.track(8, 1080, parent=1, starter=3), w.enter(4, 80), w.leave(4, 85))
    + w.events(
        6,
        w.track(9, 1090, parent=1, starter=4),
        w.enter(4, 90),
        w.leave(4, 95),
        w.track(10, 1096, parent=9, starter=0, line=1),  # nothing is open in its parent
        w.enter(3, 96),
        w.leave(3, 97),
    ),
    "killed": w.header(flags=0)
    + w.FUNCTIONS
    + w.events(2, w.track(1, 1010), w.enter(1, 10), w.enter(2, 20), size=1024)
    + w.events(3, w.track(2, 1015, parent=1, starter=1), w.enter(4, 15), w.leave(4, 80))
    + bytes(2048),
    "overwritten": w.header(flags=4)
    + w.FUNCTIONS
    + b"left by an older chunk".ljust(512, b"\xff")
    + w.events(
        90,
        w.opened(1010, 1),
        w.opened(1020, 2),
        w.leave(2, 5),
        w.enter(3, 6),
        w.leave(3, 8),
        track=1,
        base=2000,
        opened=2,
    )
    + bytes(512)
    + w.events(
        88,
        w.opened(1500, 4),
        w.leave(4, 0),
        track=5,
        base=1900,
        opened=1,
    ),
    # chunks that list the two outermost of the calls that are open
    "deep": w.header(flags=5)
    + w.FUNCTIONS
    + w.events(90, w.track(1, 1010), w.enter(1, 10), w.enter(2, 20), w.enter(2, 30), w.enter(3, 40))
    + w.events(
        91,
        w.opened(1010, 1),
        w.opened(1020, 2),
        w.leave(3, 50),
        w.leave(2, 60),
        w.leave(2, 70),
        w.leave(1, 80),
        track=1,
        opened=4,
    )
    # what begins between them has been overwritten
    + w.events(
        92,
        w.opened(1010, 1),
        w.opened(1020, 2),
        w.enter(3, 50),
        w.leave(3, 60),
        w.leave(2, 70),
        w.enter(4, 80),
        track=5,
        opened=5,
    )
    + w.events(
        93,
        w.opened(1010, 1),
        w.opened(1020, 2),
        w.leave(4, 90),
        w.leave(2, 100),
        w.leave(3, 110),
        w.leave(2, 120),
        w.leave(1, 130),
        track=5,
        opened=5,
    ),
    "bases": w.header(
        rate=2_000_000_000,
        calibrations=((5, 1000 + 40_000_000, 10_000_000, 5), (6, 1, 1, 7)),
    )
    + w.FUNCTIONS
    + w.events(2, w.track(1, 1400), w.enter(1, 400), w.base(5000), w.leave(1, 400)),
    "lost": w.header(flags=1, lost=5)
    + w.FUNCTIONS
    + w.events(
        2,
        w.track(1, 1010),
        w.enter(1, 10),
        w.enter(2, 20),
        w.lost(5),
        w.leave(3, 60),
        w.leave(1, 70),
    ),
    "python": w.header(language=2)
    + w.facts(
        1,
        w.function(1, "shop.main", "/srv/shop.py", 3),
        w.function(2, "Käufer.zahle", "/srv/käufer.py", 8),
        w.function(3, "shop.main", "/srv/shop.py", 3),
    )
    + w.events(
        2,
        w.track(1, 1001, kind=2, name="MainThread"),
        w.enter(1, 1),
        w.enter(2, 2),
        w.error("ValueError: zu teuer", value=1),
        w.leave(2, 4),
        w.leave(1, 9),
        w.enter(3, 10),
        w.leave(3, 11),
        w.track(2, 1003, kind=3, parent=1, starter=2, line=9, name="Task-2"),
        w.enter(2, 3),
        w.leave(2, 7),
    ),
}


# A forked child: main and serve began in its parent. It returns from serve, and ends in main.
_FORKED = w.facts(
    1,
    w.process('{"argv": ["app.py"], "runtime": "CPython 3.13.0"}'),
    w.function(1, "app.main", "/srv/app.py", 3),
    w.function(2, "app.serve", "/srv/app.py", 9),
    w.function(3, "app.work", "/srv/app.py", 20),
)
VERSION_1["inherited"] = (
    w.header(language=2, flags=0)
    + _FORKED
    + w.events(
        2,
        w.track(1, 1000, kind=2, name="MainThread"),
        w.inherited(1000, 1),
        w.inherited(900, 2),  # before the trace's start
        w.enter(3, 10),
        w.leave(3, 30),
        w.suspended(35),
    )
    + w.events(
        4,
        w.resumed(5),
        w.enter(3, 10),
        w.panic("KeyError: 7"),
        w.leave(3, 15),
        w.panic("KeyError: 7"),
        w.leave(2, 20),
        w.enter(2, 30),  # the child's own
        w.enter(3, 35),
        track=1,
        base=1040,
        opened=2,
    )
    # a thread that main, which is inherited, starts
    + w.events(3, w.track(2, 1020, kind=2, parent=1, starter=1), w.enter(3, 25), w.leave(3, 28))
)

# What is left lists four of the five open calls, the outer two of which are inherited.
VERSION_1["inherited-overwritten"] = (
    w.header(language=2, flags=4)
    + _FORKED
    + w.events(
        90,
        w.opened(1000, 1, 1),
        w.opened(1000, 2, 1),
        w.opened(1500, 2),
        w.opened(1600, 3),
        w.leave(3, 5),
        w.leave(3, 10),
        w.leave(2, 20),
        w.enter(3, 30),
        w.leave(3, 40),
        w.leave(2, 50),
        w.leave(1, 60),
        w.enter(3, 70),
        w.leave(3, 80),
        track=1,
        base=2000,
        opened=5,
    )
)

# A server on asyncio: main makes task 2 at 20; when that first runs main is in another call.
VERSION_1["tasks"] = (
    w.header(language=2)
    + w.facts(
        1,
        w.process('{"argv": ["server.py"], "runtime": "CPython 3.13.0"}'),
        w.function(1, "server.main", "/srv/server.py", 5),
        w.function(2, "server.Server.serve", "/srv/server.py", 12),
        w.function(3, "server.Server.handle.<locals>.read", "/srv/server.py", 30),
        w.function(4, "server.audit", "/srv/server.py", 50),
    )
    + w.events(
        2,
        w.track(1, 1000, kind=2, name="MainThread"),
        w.enter(1, 5),
        w.enter(2, 10),
        w.leave(2, 30),
        w.enter(4, 40),
        w.leave(4, 50),
        w.suspended(55),
    )
    # waits in read and in serve around it, in serve alone, and when its chunk is full
    + w.events(
        3,
        w.track(2, 1020, kind=3, parent=1, starter=2, line=14, name="Task-2"),
        w.enter(2, 60),
        w.enter(3, 65),
        w.suspended(70),
        w.resumed(170),
        w.panic("ConnectionResetError: peer"),
        w.leave(3, 180),
        w.suspended(190),
        w.suspended(195),  # it waits already
        w.enter(4, 220),  # an event lets it run
        w.leave(4, 230),
        w.resumed(235),  # it runs already
        w.suspended(240),
    )
    + w.events(
        5,
        w.resumed(5),
        w.panic("ValueError: " + "x" * 20, value=1),
        w.leave(2, 15),
        track=2,
        base=1250,
        opened=1,
    )
    # a thread whose starter never came: where the parent's own chain goes on
    + w.events(
        4,
        w.track(3, 1280, kind=2, parent=2, starter=1, name="worker"),
        w.enter(4, 280),
        w.suspended(285),
        w.lost(2),
        w.enter(3, 290),
        w.leave(3, 292),
        w.suspended(295),  # to the end: main runs on until 300
    )
    + w.events(6, w.resumed(90), w.leave(1, 100), track=1, base=1200, opened=1)
)

VECTORS = {name: as_version_2(content) for name, content in VERSION_1.items()}

# Tracks share the chunks of two threads. Run 1 of goroutine 7 is in an older chunk than run 0.
VECTORS["runs"] = (
    w.header(version=2, flags=0)
    + w.FUNCTIONS
    + w.events(
        2,
        w.track(1, 1010),
        w.enter(1, 10),
        w.enter(2, 20),
        w.switch(7, 1, opened=1),
        w.enter(3, 42),
        w.leave(3, 44),
        w.switch(1, 2, opened=3),
        w.leave(3, 60),
        w.leave(2, 70),
        track=1,
    )
    + w.events(
        3,
        w.track(7, 1030, parent=1, starter=2, line=22),
        w.enter(4, 30),
        w.switch(1, 1, opened=2),
        w.enter(3, 35),
        w.switch(7, 2, opened=1),
        w.error("closed"),
        w.leave(4, 80),
        w.track(8, 1085, parent=7),
        w.enter(4, 85),
        w.leave(4, 86),
        track=2,
    )
    + w.events(4, w.switch(1, 3, opened=1), w.leave(1, 10), track=1, base=1090)
)

# A ring: track 1 lists its calls again at 2050; before that, main and Sell were open,
# and two calls inside them whose entries were overwritten. Runs 12 and 13 are missing as well.
VECTORS["ring"] = (
    w.header(version=2, flags=4, overwritten=5_000, last_overwritten=89)
    + w.FUNCTIONS
    + w.events(
        90,
        w.switch(1, 10, opened=4),
        w.leave(3, 5),
        w.enter(3, 8),
        w.switch(5, 3, opened=1),
        w.leave(4, 9),
        w.enter(4, 10),
        w.leave(4, 12),
        w.switch(1, 11, opened=4),
        w.leave(3, 15),
        w.leave(4, 20),
        track=1,
        base=2000,
    )
    + bytes(512)
    + w.events(
        91,
        w.switch(1, 14, opened=3),
        w.track(1, 1010, name="main", again=True),
        w.opened(1010, 1),
        w.opened(1020, 2),
        w.opened(2045, 4),
        w.leave(4, 5),
        w.leave(2, 10),
        w.switch(5, 4),
        w.track(5, 1400, parent=1, starter=2, line=9, again=True),
        w.enter(4, 15),
        w.leave(4, 20),
        track=2,
        base=2050,
    )
)

# A killed program: goroutine 1 goes on behind a run without words, goroutine 7 has none at all.
VECTORS["no-words"] = (
    w.header(version=2, flags=0)
    + w.FUNCTIONS
    + w.events(
        2,
        w.track(1, 1010),
        w.enter(1, 10),
        w.enter(2, 20),
        w.switch(1, 1, opened=2),
        w.track(7, 1030, parent=1, starter=2, line=22),
        w.switch(1, 2, opened=2),
        w.leave(2, 40),
        w.leave(1, 50),
        w.switch(7, 1),
        track=1,
    )
)

# A track that ends and is begun again with the same number.
VECTORS["again"] = (
    w.header(version=2)
    + w.FUNCTIONS
    + w.events(
        2,
        w.track(1, 1010),
        w.enter(1, 10),
        w.track(9, 1020, parent=1),
        w.enter(4, 20),
        w.switch(1, 1, opened=1),
        w.enter(2, 25),
        w.switch(9, 1, opened=1),
        w.leave(4, 30),
        w.track(9, 1040, parent=1),
        w.enter(3, 40),
        w.switch(1, 2, opened=2),
        w.leave(2, 45),
        w.switch(9, 1, opened=1),
        w.leave(3, 50),
        w.switch(1, 3, opened=1),
        w.leave(1, 60),
    )
)

# Requests: one with ids and the name of the caller's request, which fails, and others without.
# A goroutine that the first one starts calls on behind its end.
VECTORS["requests"] = (
    w.header(version=2)
    + w.facts(
        1,
        w.process(
            '{"argv": ["./shop"], "tool": "0.1.0", '
            '"process_key": "00112233445566aa", "service": "shop"}'
        ),
        w.function(1, "main.sell", "shop.go", 20),
        w.function(2, "GET /users/{id}", "", 0),
        w.request_name(2),
        w.function(3, "POST payments/pay", "", 0),
        w.request_name(3, direction=2),
        w.function(4, "GET /users/{name}", "", 0),
        w.request_name(4),
        w.function(5, "grpc store.Store/Get", "", 0),
        w.request_name(5, direction=2, protocol=2),
        w.function(6, "main.notify", "notify.go", 5),
    )
    + w.events(
        2,
        w.track(5, 1010),
        w.enter(2, 10),
        w.request(
            1,
            ids=("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
            sampled=True,
            ft=(0xFFEEDDCCBBAA9988, 26),
        ),
        w.enter(1, 12),
        w.enter(3, 20),
        w.request(
            2,
            inbound=1,
            ids=("4bf92f3577b34da6a3ce929d0e0e4736", "b7ad6b7169203331"),
            sampled=True,
            minted=True,
        ),
        w.status(503),
        w.error("503 Service Unavailable"),
        w.leave(3, 40),
        w.leave(1, 45),
        w.status(500, route=4),
        w.error("500 Internal Server Error"),
        w.leave(2, 50),
        w.enter(2, 60),
        w.request(4),
        w.panic("net/http: abort Handler"),
        w.leave(2, 65),
        w.enter(2, 70),
        w.request(5),  # not answered yet
    )
    + w.events(
        3,
        w.track(6, 1030, parent=5, starter=1, line=24),
        w.enter(6, 30),
        w.enter(5, 55),
        w.request(3, inbound=1, protocol=2),
        w.status(14, grpc=True),
        w.error("UNAVAILABLE"),
        w.leave(5, 58),
        w.leave(6, 59),
    )
)

# A budget: price and another function of its name are not recorded, except for a failed call;
# main.work is never recorded again, not even if it fails. The rest repeats what is known.
VECTORS["demoted"] = (
    w.header(version=2)
    + w.facts(
        1,
        w.process('{"argv": ["./shop"], "tool": "0.1.0", "budget_ppm": 30000}'),
        w.function(1, "main.main", "main.go", 10),
        w.function(2, "main.(*Shop).Sell", "shop.go", 20),
        w.function(3, "main.price", "shop.go", 30),
        w.function(4, "main.work", "work.go", 40),
        w.function(5, "main.price", "shop.go", 90),
    )
    + w.facts(
        3,
        w.promotion(3, 1005),
        w.demotion(3, 1032, 40_000_000),
        w.demotion(5, 1033, 2_000_000),
        w.promotion(3, 1060),
        w.demotion(4, 1070, 9_000_000),
        w.promotion(5, 1080),
        w.demotion(4, 1090, 8_000_000, value=3),
        w.demotion(3, 1095, (1 << 32) - 1),
        w.promotion(3, 990),  # not before the one in front of it
    )
    + w.events(
        2,
        w.track(1, 1010),
        w.enter(1, 10),
        w.enter(3, 20),
        w.leave(3, 22),
        w.enter(3, 30),
        w.leave(3, 35),  # was open when its function was demoted
        w.enter(2, 40),
        w.enter(3, 50),
        w.error("no price"),
        w.leave(3, 50),
        w.leave(2, 65),
        w.enter(3, 85),
        w.leave(3, 88),
        w.leave(1, 100),
        track=1,
    )
)


def write() -> None:
    FOLDER_OF_VERSION_1.mkdir(parents=True, exist_ok=True)
    for name, content in VERSION_1.items():
        (FOLDER_OF_VERSION_1 / f"{name}.ftrace").write_bytes(content)
    for name, content in VECTORS.items():
        path = FOLDER / f"{name}.ftrace"
        path.write_bytes(content)
        (FOLDER / f"{name}.json").write_text(as_json(meaning(path)), encoding="utf-8")


def as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write()
