"""The page in a browser: every view, its address, keys, and how views lead to each other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.tracefile import writer as w
from tests.tracefile.test_partial_chains import PRICE, RING
from tests.view.serving import Viewer, viewing

pytestmark = pytest.mark.slow  # a browser

_SHOP = """\
def check(item):
    if item == 13:
        raise ValueError("item 13 is locked")


def price(item):
    try:
        check(item)
    except ValueError:
        return None
"""
_RED = (0xD3, 0x4A, 0x4A)  # --bad-fill of the light theme
_ROW = 17  # height of a row of the timeline
# Each page with what it shows of the trace.
_PAGES = {
    "triage": "item 13 is locked",
    "timeline": "MainThread",
    "flame": "shop.check",
    "flame?direction=callers&function=shop.check": "shop.price",
    "flame?against=1&errors=1": "larger share",
    "chains?function=shop.check&errors=1": "ValueError: item 13 is locked",
    "calls?errors=1": "shop.price",
    "source?function=shop.check": "if item == 13:",
    "services": "no requests between services were recorded",
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """A viewer of a recorded program whose source is there."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "shop.py").write_text(_SHOP)
    (folder / "app.py").write_text("import shop\nfor item in range(20):\n    shop.price(item)\n")
    words = ["run", "--record", "-q", "--out", "app.ftrace", "app.py"]
    subprocess.run([sys.executable, "-m", "functrace", *words], cwd=folder, check=True)
    with viewing("app.ftrace", cwd=folder) as started:
        yield started


def shown(page: Any) -> tuple[str, dict[str, list[str]]]:
    """Return the page that the address names, and its parameters."""
    name, _, query = page.url.partition("#/")[2].partition("?")
    return name, parse_qs(query)


def canvas_point(page: Any, track: str, depth: int) -> tuple[float, float]:
    """Return the middle of a row of a track on the canvas of the timeline."""
    label = page.get_by_role("button", name=re.compile(track)).locator("xpath=..")
    label.wait_for()
    canvas = page.locator(".slices canvas").bounding_box()
    top = label.bounding_box()["y"]
    return canvas["x"] + canvas["width"] / 2, top + 3 + (depth + 0.5) * _ROW


def test_triage_is_the_first_page(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    for title in ("Failing", "Not returned by the caller", "Never ended", "Slow", "Repeated"):
        page.get_by_role("heading", name=title).wait_for()
    command = page.locator(".page-head code").text_content()
    assert command == "functrace triage faulty.ftrace"


def test_two_clicks_from_a_failing_chain_to_its_call_and_its_source(
    page: Any, recorded: Viewer
) -> None:
    page.goto(recorded.url)
    page.get_by_role("link", name="First failed call").first.click()
    panel = page.get_by_role("complementary", name="Call")
    panel.get_by_role("heading", name="shop.check").wait_for()
    assert "item 13 is locked" in panel.text_content()
    assert [step.text_content() for step in panel.locator(".chain a").all()][-2:] == [
        "shop.price",
        "shop.check",
    ]
    panel.get_by_role("link", name="Source").click()
    page.locator("tr.target", has_text="def check(item):").wait_for()
    assert page.locator("tr.target td").nth(0).text_content() == "20"
    assert page.locator("tr.target td").nth(1).text_content() == "1"


@pytest.mark.parametrize("address", _PAGES)
def test_an_address_restores_its_page(page: Any, recorded: Viewer, address: str) -> None:
    page.goto(f"{recorded.url}#/{address}")
    page.locator("main", has_text=_PAGES[address]).wait_for()
    assert page.url == f"{recorded.url}#/{address}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", _PAGES)
def test_pages_are_accessible(page: Any, recorded: Viewer, address: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{recorded.url}#/{address}")
    page.locator("main", has_text=_PAGES[address]).wait_for()
    page.locator(".loading:has-text('Loading')").wait_for(state="detached")
    violations = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []


def test_the_search_is_accessible(page: Any, recorded: Viewer) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.goto(recorded.url)
    page.get_by_role("heading", name="Triage").wait_for()
    page.keyboard.press("/")
    page.get_by_role("row", selected=True).wait_for()
    violations = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []


@pytest.mark.parametrize(("address", "canvas"), [("timeline", ".slices"), ("flame", ".flame")])
def test_failures_are_drawn_in_red(page: Any, recorded: Viewer, address: str, canvas: str) -> None:
    page.goto(f"{recorded.url}#/{address}")
    page.wait_for_function(
        """([canvas, red]) => {
            const element = document.querySelector(`${canvas} canvas`);
            if (!element?.width) return false;
            const context = element.getContext("2d");
            const pixels = context.getImageData(0, 0, element.width, element.height).data;
            for (let at = 0; at < pixels.length; at += 4)
                if (red.every((value, index) => pixels[at + index] === value)) return true;
            return false;
        }""",
        arg=[canvas, list(_RED)],
    )


def test_pages_have_one_scroll_bar(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    page.get_by_role("heading", name="Failing").wait_for()
    assert page.evaluate("document.documentElement.scrollHeight") == 800
    assert page.evaluate("document.querySelector('main').scrollHeight") > 800


def test_services_and_the_requests_between_them(page: Any, services: Viewer) -> None:
    page.goto(f"{services.url}#/services")
    box = page.get_by_role("button", name=re.compile("requests received")).first
    box.wait_for()
    rows = page.locator("tbody tr")
    everything = rows.count()
    box.click()
    page.get_by_role("heading", name=re.compile("Requests of")).wait_for()
    assert 0 < rows.count() < everything


def test_keys_zoom_and_move_the_timeline(page: Any, recorded: Viewer) -> None:
    page.goto(f"{recorded.url}#/timeline")
    page.get_by_role("button", name=re.compile("MainThread")).wait_for()
    page.keyboard.down("w")
    page.wait_for_url(re.compile("from="))  # when it can zoom no further
    page.keyboard.up("w")
    _, zoomed = shown(page)
    page.keyboard.press("d", delay=50)
    page.wait_for_url(re.compile(f"from=(?!{zoomed['from'][0]}&)"))
    assert int(shown(page)[1]["from"][0]) > int(zoomed["from"][0])
    page.keyboard.press("f")
    page.wait_for_url(re.compile("#/timeline$"))


def test_slash_searches_functions(page: Any, recorded: Viewer) -> None:
    page.goto(recorded.url)
    page.get_by_role("heading", name="Triage").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("pri")
    page.locator(".matches [role=row]", has_text="shop.price").wait_for()
    page.locator(".matches [role=row]", has_text="shop.check").wait_for(state="detached")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#/chains"))
    assert shown(page) == ("chains", {"function": ["shop.price"]})


def test_question_mark_shows_the_keys_and_escape_closes_them(page: Any, recorded: Viewer) -> None:
    page.goto(recorded.url)
    page.get_by_role("heading", name="Triage").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_click_on_a_slice_shows_its_call(page: Any, recorded: Viewer) -> None:
    page.goto(recorded.url)
    page.get_by_role("link", name="First failed call").first.click()
    page.get_by_role("complementary", name="Call").get_by_role("heading").first.wait_for()
    page.get_by_role("button", name="Close the call").click()
    page.get_by_role("complementary").wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    page.mouse.click(*canvas_point(page, "MainThread", 1))
    panel = page.get_by_role("complementary", name="Call")
    panel.get_by_role("heading", name="shop.check").wait_for()
    assert "select=" in page.url
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")


def test_a_range_of_time_leads_to_its_calls(page: Any, recorded: Viewer) -> None:
    page.goto(f"{recorded.url}#/timeline")
    x, y = canvas_point(page, "MainThread", 0)
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.get_by_role("group", name="Selected range").get_by_role("link", name="Calls").click()
    page.locator("table.calls tbody tr").first.wait_for()
    name, parameters = shown(page)
    assert name == "calls"
    assert int(parameters["from"][0]) < int(parameters["to"][0])


def test_calls_are_sorted_and_filtered(page: Any, recorded: Viewer) -> None:
    page.goto(f"{recorded.url}#/calls")
    page.get_by_role("link", name="Duration").click()
    page.locator("th[aria-sort=descending]", has_text="Duration").wait_for()
    page.locator("tbody tr", has_text="shop.check").first.wait_for()
    page.get_by_label("Failed only").check()
    page.locator("p", has_text=re.compile("^1 call$")).wait_for()
    assert shown(page)[1] == {"sort": ["duration"], "order": ["desc"], "errors": ["1"]}


def test_the_command_is_copied(context: Any, page: Any, recorded: Viewer) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{recorded.url}#/chains?function=shop.check&errors=1")
    page.get_by_role("button", name="Copy command").click()
    page.get_by_text("copied", exact=True).wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "functrace callers --errors shop.check app.ftrace"


def test_the_theme_is_kept(page: Any, recorded: Viewer) -> None:
    page.goto(recorded.url)
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    page.get_by_role("button", name="Theme: dark").wait_for()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_an_error_is_a_sentence(page: Any, recorded: Viewer) -> None:
    page.goto(f"{recorded.url}#/timeline?select=0:5")
    page.locator(".details .failure", has_text="no call starts at 5 ns").wait_for()


def test_two_windows_show_different_parts(context: Any, recorded: Viewer) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto(f"{recorded.url}#/timeline")
    second.goto(f"{recorded.url}#/chains?function=shop.check")
    second.locator(".chain-card").wait_for()
    first.get_by_role("button", name=re.compile("MainThread")).wait_for()
    assert [shown(each)[0] for each in (first, second)] == ["timeline", "chains"]


def test_everything_comes_from_the_server(page: Any, recorded: Viewer) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    for address in _PAGES:
        page.goto(f"{recorded.url}#/{address}")
        page.locator("main", has_text=_PAGES[address]).wait_for()
    assert len(requested) > len(_PAGES)
    assert all(url.startswith((recorded.url, "data:")) for url in requested)


def test_calls_without_all_callers_are_counted_beside_their_chain(
    page: Any, tmp_path: Path
) -> None:
    """Sell, which main had called, ended before the first event."""
    first = w.events(90, w.switch(1, 10, opened=2), *PRICE, w.leave(2, 8), *PRICE, track=1)
    lists = w.switch(1, 11, opened=1), w.track(1, 1000, again=True), w.opened(1000, 1)
    second = w.events(91, *lists, *PRICE, w.leave(1, 9), track=1)
    (tmp_path / "x.ftrace").write_bytes(RING + first + second)
    with viewing("x.ftrace", cwd=tmp_path) as viewer:
        page.goto(f"{viewer.url}#/chains?function=main.price")
        figures = page.locator(".chain-card .figures").first.text_content()
    assert "3 calls" in figures
    assert "1 with missing callers" in figures
