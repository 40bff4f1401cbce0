"""The page of a running program."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.view.serving import viewing
from tests.view.test_live import shop, take_orders

pytestmark = pytest.mark.slow  # a browser

__all__ = ["shop"]


def test_the_page_follows_the_program(
    page: Any,
    shop: subprocess.Popen[str],
    tmp_path: Path,
) -> None:
    take_orders(shop, 2)
    with viewing("--live", str(shop.pid), cwd=tmp_path) as viewer:
        page.goto(viewer.url)
        page.get_by_text("live", exact=True).wait_for()
        page.locator(".summary").wait_for()
        assert not page.get_by_text("item 2 is locked").count()
        take_orders(shop, 3)
        page.get_by_text("item 2 is locked").first.wait_for()
