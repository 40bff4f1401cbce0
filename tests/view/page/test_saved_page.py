"""A saved page in a browser, from the file alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def address(folder: Path) -> str:
    """The address of a saved page."""
    words = ["view", "faulty.ftrace", "--save", "saved.html"]
    subprocess.run([sys.executable, "-m", "functrace", *words], cwd=folder, check=True)
    return (folder / "saved.html").as_uri()


def test_a_saved_page_needs_no_server(context: Any, page: Any, address: str) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    context.set_offline(True)
    page.goto(address)
    page.get_by_role("heading", name="Failing").wait_for()
    page.get_by_role("link", name="First failed call").first.click()
    panel = page.get_by_role("complementary", name="Call")
    panel.get_by_role("heading", name="store.(*Store).Get").wait_for()
    for link in ("Calls", "Flame graph", "Services", "Triage"):
        page.get_by_role("navigation").get_by_role("link", name=link).click()
        page.get_by_role("heading", name=link, exact=True).wait_for()
    assert {url.partition("#")[0] for url in requested if not url.startswith("data:")} == {address}


def test_the_calls_of_a_saved_page_are_filtered_in_the_browser(page: Any, address: str) -> None:
    page.goto(f"{address}#/calls")
    rows = page.locator("tbody tr")
    rows.first.wait_for()
    page.get_by_label("Failed only").check()
    page.locator("tbody tr:not(.failed)").first.wait_for(state="detached")
    assert rows.count() > 0
    page.get_by_label("Include").fill("*Get")
    page.wait_for_url(re.compile("include="))
    page.locator("tbody td:nth-child(4)", has_text="main.").first.wait_for(state="detached")
    assert rows.count() > 0


def test_figures_that_were_added_up_are_not_filtered(page: Any, address: str) -> None:
    page.goto(f"{address}#/flame?errors=1")
    page.get_by_text("a saved page has the figures of all its calls only").wait_for()
