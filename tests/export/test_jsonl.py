"""The objects of JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from functrace.export.jsonl import pieces
from functrace.tracefile import open_trace

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _objects(vector: str) -> list[dict[str, Any]]:
    written = b"".join(pieces(open_trace(VECTORS / f"{vector}.ftrace")))
    return [json.loads(line) for line in written.splitlines()]


def test_process_tracks_calls() -> None:
    process, track, *calls = _objects("calls")
    assert process == {
        "type": "trace",
        "version": 2,
        "trace": str(VECTORS / "calls.ftrace"),
        "pid": 4194303,
        "language": "go",
        "started_ns": 1_700_000_000_000_000_000,
        "ended_cleanly": True,
        "full": False,
        "overwritten": False,
        "overwritten_chunks": 0,
        "overwritten_events": 0,
        "write_failed": False,
        "lost_events": 0,
        "lost_unknown": False,
        "demoted": [],
        "damage": [],
        "process_facts": {"argv": ["./shop"], "tool": "0.1.0"},
    }
    assert track == {
        "type": "track",
        "track": 1,
        "kind": "goroutine",
        "name": "main",
        "parent": None,
        "starter": None,
        "line": None,
        "start_ns": 10,
    }
    assert calls[2] == {
        "type": "call",
        "call": 2,
        "parent": 1,
        "track": 1,
        "level": 3,
        "function": "main.price",
        "file": "shop.go",
        "line": 30,
        "start_ns": 25,
        "duration_ns": 5,
    }
    assert [call["parent"] for call in calls] == [None, 0, 1, 0]
    ends = [{k: call.get(k) for k in ("error", "panic", "goexit")} for call in calls]
    assert ends == [
        {"error": None, "panic": None, "goexit": True},
        {"error": "out of stock", "panic": None, "goexit": None},
        {"error": None, "panic": None, "goexit": None},
        {"error": None, "panic": "index out of range", "goexit": None},
    ]


def test_suspended_calls_and_cut_texts() -> None:
    calls = [o for o in _objects("tasks") if o["type"] == "call"]
    assert [c.get("suspended_ns") for c in calls] == [235, None, None, 145, 100, None, 5, None]
    assert [c.get("text_cut") for c in calls] == [*[None] * 3, True, *[None] * 4]


def test_unfinished_calls_and_parents() -> None:
    objects = _objects("killed")
    tracks = [o for o in objects if o["type"] == "track"]
    assert [(t["track"], t["parent"], t["starter"]) for t in tracks] == [
        (1, None, None),
        (2, 1, "main.main"),
    ]
    calls = [o for o in objects if o["type"] == "call"]
    assert [(c["track"], c.get("unfinished", False)) for c in calls] == [
        (1, True),
        (1, True),
        (2, False),
    ]
