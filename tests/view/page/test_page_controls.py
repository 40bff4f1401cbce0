"""Fields, lists and notes of the page, with the answers that it has to expect."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest

from tests.cli import faulty
from tests.view.serving import Viewer

pytestmark = pytest.mark.slow  # a browser


def edit(page: Any, endpoint: str, change: Any) -> None:
    """Change the answers of an endpoint on their way to the page."""

    def answer(route: Any) -> None:
        value = route.fetch().json()
        change(value)
        route.fulfill(json=value)

    page.route(f"**/api/{endpoint}?*", answer)


def test_a_duration_counts_when_it_is_complete(page: Any, viewer: Viewer) -> None:
    page.clock.install()
    page.goto(f"{viewer.url}#/calls")
    field = page.get_by_label("Min duration")
    field.press_sequentially("1m")
    page.clock.run_for(2000)
    assert "min_duration" not in page.url
    field.press_sequentially("s")
    field.press("Enter")
    page.wait_for_url(re.compile("min_duration=1000000$"))


def test_an_invalid_duration_is_marked_and_changes_nothing(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/calls?min_duration=1000")
    field = page.get_by_label("Min duration")
    field.fill("soon")
    field.press("Enter")
    page.locator("input:invalid").wait_for()
    assert "20us" in field.evaluate("input => input.validationMessage")
    assert page.url.endswith("min_duration=1000")
    field.fill("")
    field.press("Enter")
    page.wait_for_url(re.compile("#/calls$"))


def test_a_duration_is_shown_without_rounding(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/calls?min_duration=1234567")
    field = page.get_by_label("Min duration")
    assert field.input_value() == "1234567ns"
    page.goto(f"{viewer.url}#/calls?min_duration=1500000")
    page.wait_for_function("document.querySelector('[placeholder*=\"1ms\"]').value === '1500us'")


def test_the_chosen_function_of_the_search_is_announced(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    page.get_by_role("heading", name="Triage").wait_for()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Name of a function", expanded=True)
    page.get_by_role("grid", name="Functions").get_by_role("row").nth(1).wait_for()
    rows = page.locator(".matches").get_by_role("row")
    for chosen in (0, 1):
        row = page.get_by_role("row", selected=True)
        assert row.text_content() == rows.nth(chosen).text_content()
        assert box.get_attribute("aria-activedescendant") == row.get_attribute("id")
        page.keyboard.press("ArrowDown")


def test_calls_that_cannot_be_loaded_are_reported(page: Any, viewer: Viewer) -> None:
    later = re.compile("api/calls.*offset=200")
    page.route(later, lambda route: route.fulfill(status=500, json={"error": "out of calls"}))
    page.goto(f"{viewer.url}#/calls")
    page.get_by_role("button", name="More").scroll_into_view_if_needed()
    page.locator(".failure", has_text="out of calls").wait_for()
    page.unroute(later)
    page.get_by_role("button", name="More").click()
    page.locator(".failure").wait_for(state="detached")
    page.locator("tbody tr").nth(200).wait_for()


def test_only_the_arrows_of_visible_tracks_are_loaded(page: Any, services: Viewer) -> None:
    with page.expect_request(re.compile("api/requests")) as found:
        page.goto(f"{services.url}#/timeline")
    tracks = services.get("tracks")["tracks"]
    listed = re.search("tracks=([^&]*)", found.value.url)
    assert listed
    assert set(listed[1].split("%2C")) == {str(track["id"]) for track in tracks}


def test_suspended_time_of_a_range_is_said_to_be_in_self_time(page: Any, viewer: Viewer) -> None:
    edit(page, "flame", lambda flame: [node.update(suspended_ns=None) for node in flame["nodes"]])
    page.goto(f"{viewer.url}#/flame?from=1000&to=3000")
    page.get_by_text("self time contains suspended time").wait_for()


def test_figures_of_all_calls_have_no_such_note(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/flame")
    page.get_by_role("heading", name="Most time of their own").wait_for()
    assert not page.get_by_text("self time contains suspended time").count()


def test_a_long_chain_is_folded(page: Any, viewer: Viewer) -> None:
    def lengthen(call: dict[str, Any]) -> None:
        call["chain"] *= 500 // len(call["chain"])
        call["chain_truncated"] = True

    edit(page, "call", lengthen)
    failed = viewer.get("calls", errors=1)["calls"][0]
    page.goto(f"{viewer.url}#/timeline?select={failed['track']}:{failed['start_ns']}")
    steps = page.locator(".chain li")
    more = page.locator(".chain").get_by_role("button", name=re.compile(r"\d+ more"))
    more.wait_for()
    assert steps.count() == 9
    page.get_by_text("only the innermost calls of the chain are shown").wait_for()
    more.click()
    more.wait_for(state="detached")
    assert steps.count() > 490


def test_new_figures_do_not_move_the_reader(page: Any, viewer: Viewer) -> None:
    revision, loaded = count(1), count()
    edit(page, "session", lambda session: session.update(live=True))
    page.route("**/api/live?*", lambda route: route.fulfill(json={"revision": next(revision)}))

    def source(value: dict[str, Any]) -> None:
        calls = next(loaded)
        figures = {"500": {"calls": calls, "failed": 0, "total_ns": 1}}
        lines = [f"line {number}" for number in range(1000)]
        value.update(exists=True, first_line=1, line=500, lines=lines, figures=figures)

    edit(page, "source", source)
    page.goto(f"{viewer.url}#/source?function={faulty.GET}")
    page.locator("tr.target", has_text=re.compile("^1")).wait_for()
    page.wait_for_function("document.querySelector('.target').getBoundingClientRect().top < 800")
    page.locator("tbody tr").first.scroll_into_view_if_needed()
    page.locator("tr.target", has_text=re.compile("^[3-9]")).wait_for()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.locator("tr.target").bounding_box()["y"] > 800
