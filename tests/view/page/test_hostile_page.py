"""Names and texts of a trace that try to become markup or script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.analysis.recorded import Recorded
from tests.view.serving import Viewer, viewing

pytestmark = pytest.mark.slow  # a browser

_NAMES = (
    "main.<img src=x onerror=attacked()>",
    "main.</script><script>attacked()</script>",
    'main."><svg onload=attacked()>&amp;',
    "main.javascript:attacked()",
    "main." + "long" * 15_000,
)
_TEXT = "<iframe src='javascript:attacked()'></iframe>\u202e&lt;b&gt;\x1b[31m"
_PAGES = (
    "triage",
    "timeline",
    "flame",
    "calls",
    "services",
    "chains?function=",
    "source?function=",
)


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    folder = tmp_path_factory.mktemp("hostile")
    program = Recorded(*_NAMES)
    main = program.goroutine(1)
    for name in _NAMES:
        with main.inside(_NAMES[0]):
            main.call(name, error=_TEXT)
    program.write(folder / "hostile.ftrace")
    with viewing("hostile.ftrace", cwd=folder) as started:
        yield started


@pytest.mark.parametrize("address", _PAGES)
def test_texts_of_a_trace_stay_texts(page: Any, viewer: Viewer, address: str) -> None:
    attacks: list[str] = []
    page.expose_function("attacked", lambda: attacks.append(address))
    name = quote(_NAMES[1]) if address.endswith("=") else ""
    page.goto(f"{viewer.url}#/{address}{name}")
    page.wait_for_load_state("networkidle")
    page.get_by_role("heading", level=1).wait_for()
    page.locator(".loading:has-text('Loading')").wait_for(state="detached")
    assert page.locator("img, iframe, script:not([src]), svg[onload]").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0
    assert attacks == []


def test_they_are_shown_as_they_are(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    page.locator(".headline", has_text="main.<img src=x onerror=attacked()>").first.wait_for()
    assert "<iframe" in page.locator(".error-text").first.text_content()


def test_a_long_name_is_cut_and_leaves_the_page_usable(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/calls")
    page.locator("tbody tr", has_text="main.longlong").first.wait_for()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280
