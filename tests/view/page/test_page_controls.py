"""Fields, lists and notes of the page, with the answers that it has to expect."""

from __future__ import annotations

import re
from typing import Any

from tests.view.serving import Viewer


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
