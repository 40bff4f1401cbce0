"""The first page of a bundle: why the watcher saved it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functrace.watch.bundle import save_bundle
from tests.view.serving import viewing
from tests.watch import firings

pytestmark = pytest.mark.slow  # a browser


def test_the_reason_leads_to_the_chains_of_the_guilty_function(page: Any, tmp_path: Path) -> None:
    also_true = ("cpu: 2.3 cores, <b>average</b> 0.8",)
    firing = firings.firing(firings.ring(tmp_path / "rings"), also_true=also_true)
    save_bundle(firing, tmp_path / "out")
    with viewing(f"{firings.NAME}.zip", cwd=tmp_path / "out") as viewer:
        page.goto(viewer.url)
        reason = page.get_by_role("region", name="Reason of the bundle")
        reason.get_by_role("heading", name="Saved by the trigger failure-rate").wait_for()
        text = reason.text_content()
        assert "2023-11-14T22:13:20.250Z" in text
        assert firing.summary in text
        assert "main.main → main.serve → example.com/shop/store.(*Store).Get" in text
        assert also_true[0] in text
        reason.get_by_role("link", name="Chains").click()
        page.locator(".chain-card").first.wait_for()
