"""The same trace in functrace view and, exported, in speedscope: time and memory in Chromium.

python benchmarks/view_peers.py [events]

Perfetto's page is not in any registry of packages, so that it is not compared.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from view_page import browser_bytes, find_chromium, viewing
from view_trace import write_trace

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import speedscope

_EVENTS = 8_000_000
_PATIENCE_MS = 300_000


def view_peers(events: int = _EVENTS) -> None:
    """Print the time until each page shows the trace, and the memory of the browser then."""
    print(f"a trace of {events / 1e6:,.0f} million events in 8 threads in the browser")
    program = find_chromium()
    if program is None:
        print("  skipped: it requires Chromium and the package playwright")
        return
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "x.ftrace"
        write_trace(trace, events)
        _functrace(trace, program)
        try:
            page = speedscope.download(Path(folder))
        except (OSError, subprocess.CalledProcessError):
            print("  speedscope: skipped, npm cannot download it")
            return
        _speedscope(trace, page, program)


def _functrace(trace: Path, program: str) -> None:
    with (
        tempfile.TemporaryDirectory() as cache,
        viewing(trace, program, cache) as (page, url, begin, _),
    ):
        page.goto(f"{url}#/timeline")
        page.locator(".label .name").first.wait_for()
        page.wait_for_load_state("networkidle")
        _print("functrace view", time.perf_counter() - begin)


def _speedscope(trace: Path, folder: Path, program: str) -> None:
    begin = time.perf_counter()
    command = [sys.executable, "-m", "functrace", "export", "--to", "speedscope", "-o"]
    subprocess.run([*command, str(folder / "x.json"), str(trace)], check=True, capture_output=True)
    exported = time.perf_counter() - begin
    size = (folder / "x.json").stat().st_size
    print(f"  export to speedscope: {exported:.1f} s, {size / 1e6:,.0f} MB")
    with speedscope.serve(folder, "x.json") as url, _page(program) as page:
        begin = time.perf_counter()
        page.goto(url)
        found = page.locator("text=Left Heavy").or_(page.locator("text=Something went wrong"))
        found.first.wait_for()
        if "Left Heavy" not in found.first.inner_text():
            print(f"  speedscope: cannot open it, after {time.perf_counter() - begin:.1f} s")
            return
        _print("speedscope", time.perf_counter() - begin)


@contextmanager
def _page(program: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        browser.close()


def _print(title: str, seconds: float) -> None:
    print(f"  {title}: shown after {seconds:.1f} s, browser {browser_bytes() / 1e6:,.0f} MB")


if __name__ == "__main__":
    view_peers(int(float(sys.argv[1])) if len(sys.argv) > 1 else _EVENTS)
