"""Screenshots of the viewer's pages, taken with the system's Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from playwright.sync_api import Page, sync_playwright

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SIZE = {"width": 1280, "height": 720}
_SETTLED_MS = 1500


def take(shop: Path, orders: Path, mesh: Path, folder: Path) -> None:
    """Take a picture of each page: of the HTTP example, the orders, and the mesh.

    Args:
        shop: a trace of the HTTP example.
        orders: a trace of the orders.
        mesh: the folder of the mesh's traces.
        folder: where to write the pictures.
    """
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE)
        with _viewing(shop) as url:
            _picture(page, url, "", folder / "view-triage.png")
            failed = _ask(url, "triage")["failing"][-1]
            _picture(page, url, failed["links"]["timeline"], folder / "view-call.png")
            _picture(page, url, "#/calls?errors=1", folder / "view-calls.png")
        with _viewing(orders) as url:
            link = _ask(url, "triage")["failing"][0]["links"]["timeline"]
            select = parse_qs(link.partition("?")[2])["select"][0]
            start = int(select.split(":")[1])
            around = f"from={start - 14_000_000}&to={start + 4_000_000}&shown=range"
            _picture(
                page, url, f"#/timeline?{around}&select={select}", folder / "view-timeline.png"
            )
            _picture(page, url, "#/flame", folder / "view-flame.png")
            _picture(page, url, "#/chains?function=shop.stock.check", folder / "view-chains.png")
            _picture(page, url, "#/source?function=shop.stock.check", folder / "view-source.png")
        with _viewing(mesh) as url:
            _picture(page, url, "#/services", folder / "view-services.png")
        browser.close()


@contextmanager
def _viewing(traces: Path) -> Iterator[str]:
    """Serve traces; yield the address of the page."""
    words = [sys.executable, "-m", "functrace", "view", "--no-open", traces.name]
    with subprocess.Popen(words, cwd=traces.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _ask(url: str, question: str) -> Any:
    with urllib.request.urlopen(f"{url}api/{question}") as answer:
        return json.load(answer)


def _picture(page: Page, url: str, fragment: str, out: Path) -> None:
    page.goto("about:blank")  # another fragment alone would keep the page's state
    page.goto(url + fragment)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(_SETTLED_MS)
    page.screenshot(path=out)
