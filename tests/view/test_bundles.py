"""Bundles of the watcher in the viewer: the folder, and the zip file beside it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from functrace.tracefile import open_trace_file
from functrace.view.bundle_reason import reason_of
from functrace.watch.bundle import save_bundle
from tests.view.serving import viewing
from tests.watch import firings


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_bundle_is_shown(tmp_path: Path, suffix: str) -> None:
    save_bundle(firings.firing(firings.ring(tmp_path / "rings")), tmp_path / "out")
    name = f"{firings.NAME}{suffix}"
    with viewing(name, cwd=tmp_path / "out") as viewer:
        (trace,) = viewer.get("session")["traces"]
        assert trace["reason"] == {
            "trigger": "failure-rate",
            "summary": "store.(*Store).Get failed in 5.1% of its calls, limit 2%",
            "at": firings.AT,
            "function": "example.com/shop/store.(*Store).Get",
            "chain": ["main.main", "main.serve", "example.com/shop/store.(*Store).Get"],
            "also_true": [],
        }
        assert trace["path"] == (name if suffix else f"{name}/shop-4711.ftrace")
        found = viewer.get("triage")
        assert found["command"] == f"functrace triage {name}"
        (failing, *_) = found["failing"]
        assert failing["command"].endswith(name)
        assert viewer.get("calls", errors=1)["calls"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"summary": 1}',
        b'{"summary": "x", "trace": "other.ftrace"}',
        b'{"trace": "shop-4711.ftrace", "summary": "' + b"x" * (1 << 20) + b'"}',
    ],
)
def test_what_is_no_reason(tmp_path: Path, content: bytes) -> None:
    trace = open_trace_file(firings.ring(tmp_path / "rings"))
    assert reason_of(trace) is None
    (trace.path.parent / "why.json").write_bytes(content)
    assert reason_of(trace) is None


def test_a_reason_in_which_values_are_of_other_kinds(tmp_path: Path) -> None:
    ring = firings.ring(tmp_path / "rings")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(ring, "a.ftrace")
        archive.writestr("why.json", '{"summary": "x", "at": NaN, "chain": {}, "also_true": [1]}')
    found = reason_of(open_trace_file(tmp_path / "a.zip"))
    assert found == {
        "trigger": "",
        "summary": "x",
        "at": None,
        "function": "",
        "chain": [],
        "also_true": [""],
    }
