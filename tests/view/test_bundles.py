"""Bundles of the watcher in the viewer: the folder, and the zip file beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from functrace.watch.bundle import save_bundle
from tests.view.serving import viewing
from tests.watch import firings


@pytest.mark.parametrize("suffix", ["", ".zip"])
def test_a_bundle_is_shown(tmp_path: Path, suffix: str) -> None:
    save_bundle(firings.firing(firings.ring(tmp_path / "rings")), tmp_path / "out")
    name = f"{firings.NAME}{suffix}"
    with viewing(name, cwd=tmp_path / "out") as viewer:
        (trace,) = viewer.get("session")["traces"]
        assert trace["path"] == (name if suffix else f"{name}/shop-4711.ftrace")
        found = viewer.get("triage")
        assert found["command"] == f"functrace triage {name}"
        (failing, *_) = found["failing"]
        assert failing["command"].endswith(name)
        assert viewer.get("calls", errors=1)["calls"]
