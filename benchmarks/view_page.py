"""The page of functrace view in headless Chromium: first screen, windows, frames and memory.

python benchmarks/view_page.py TRACE
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SIZE = {"width": 1440, "height": 900}
_HELD_MS = 3000
# Zoom in by steps and move at each, so that every resolution is seen.
_KEYS = ("w", "d", "a", "w", "d", "w", "a", "s", "d", "s")
_PATIENCE_MS = 600_000
_PAGE_PROCESSES = ("--type=renderer", "--type=gpu-process")

# A finding, or that there is none.
_FINDINGS = ".finding, .page > .nothing"

_COUNT_FRAMES = """() => {
    window.frames_ms = [];
    let last = performance.now();
    const frame = (now) => {
        window.frames_ms.push(now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
_WINDOWS = """() => performance.getEntriesByType("resource")
    .filter((entry) => entry.name.includes("/api/window?"))
    .map((entry) => entry.duration)"""


def view_page(trace: Path) -> None:
    """Print the figures of the page for a trace, first without its index and then with it."""
    program = find_chromium()
    if program is None:
        print("  the page was skipped: it requires Chromium and the package playwright")
        return
    index = trace.with_name(f"{trace.name}.index")
    index.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        for title in ("opened for the first time", "opened again"):
            with viewing(trace, program, cache) as (page, url, begin, _):
                _measure_triage(title, page, url, begin)
                while not index.exists():
                    time.sleep(0.1)
        with viewing(trace, program, cache) as (page, url, begin, server):
            _measure(page, url, begin, server)


def find_chromium() -> str | None:
    """Return the path of Chromium if it can be driven."""
    if find_spec("playwright") is None:
        return None
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)


@contextmanager
def viewing(trace: Path, program: str, cache: str) -> Iterator[tuple[Any, str, float, int]]:
    """Start a viewer that keeps its findings in a folder, and a browser.

    Yield a page, the URL, when the viewer was started, and its process.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE)
        page.set_default_timeout(_PATIENCE_MS)
        words = [sys.executable, "-m", "functrace", "view", "--no-open", str(trace)]
        variables = {**os.environ, "FUNCTRACE_CACHE": cache}
        begin = time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=variables) as server:
            assert server.stdout is not None
            try:
                yield page, server.stdout.readline().strip(), begin, server.pid
                browser.close()
            finally:
                server.terminate()


def _measure_triage(title: str, page: Any, url: str, begin: float) -> None:
    page.goto(f"{url}#/triage")
    page.locator(".summary").wait_for()
    summary = time.perf_counter() - begin
    page.locator(_FINDINGS).first.wait_for()
    findings = time.perf_counter() - begin
    print(f"  {title}: summary after {summary:.2f} s, findings after {findings:.2f} s", flush=True)


def _measure(page: Any, url: str, begin: float, server: int) -> None:
    page.goto(f"{url}#/timeline")
    page.locator(".label .name").first.wait_for()
    page.wait_for_load_state("networkidle")
    print(f"  timeline shown after {time.perf_counter() - begin:.2f} s", end=", ")
    page.evaluate("() => performance.setResourceTimingBufferSize(5000)")
    page.evaluate(_COUNT_FRAMES)
    frames: list[float] = []
    for key in _KEYS:
        page.evaluate("() => { window.frames_ms.length = 0; }")
        page.keyboard.down(key)
        page.wait_for_timeout(_HELD_MS)
        page.keyboard.up(key)
        if key in "ad":
            frames += page.evaluate("() => window.frames_ms")
        page.wait_for_load_state("networkidle")
    windows = np.array(page.evaluate(_WINDOWS))
    print(
        f"{len(frames) / (_HELD_MS / 1000 * sum(key in 'ad' for key in _KEYS)):.0f} frames/s",
        end="",
    )
    print(f" while panning, p95 {np.percentile(frames, 95):.0f} ms")
    print(f"  {len(windows)} windows: p50 {np.median(windows):.0f} ms", end=", ")
    print(f"p95 {np.percentile(windows, 95):.0f} ms")
    print(f"  memory: browser {browser_bytes() / 1e6:,.0f} MB", end=", ")
    print(f"server {psutil.Process(server).memory_info().rss / 1e6:,.0f} MB", flush=True)


def browser_bytes() -> int:
    """Return the memory of the processes of the page: what they share is divided among them."""
    total = 0
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with suppress(psutil.Error):
            if any(word.startswith(_PAGE_PROCESSES) for word in process.cmdline()):
                total += process.memory_full_info().pss
    return total


if __name__ == "__main__":
    view_page(Path(sys.argv[1]))
