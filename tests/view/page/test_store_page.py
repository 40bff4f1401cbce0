"""The pages of a store: those that it has, and links between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.view.serving import Viewer, viewing
from tests.view.test_store import write_store

pytestmark = pytest.mark.slow  # a browser


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    folder = write_store(tmp_path_factory.mktemp("store"))
    with viewing("--store", "store", cwd=folder) as started:
        yield started


def test_from_a_finding_to_its_chains_and_the_flame_graph(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    page.get_by_text("no timeline, single calls or sources").wait_for()
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    assert links.all_text_contents() == ["Triage", "Flame graph", "Chains", "Services"]
    assert "3 of 3 instances" in page.locator("#content").text_content()
    finding = page.locator(".finding").filter(has_text="of shop").first
    assert finding.get_by_text(re.compile(r"example at \d{4}-.* of \S+\.ftrace")).count() == 1
    finding.get_by_role("link", name="Chains").click()
    page.get_by_role("heading", name="Chains").wait_for()
    page.locator(".chain-card").first.wait_for()
    page.get_by_role("link", name="Callers as flame graph").click()
    page.get_by_role("heading", name="Callers").wait_for()
    page.get_by_role("combobox", name="Service").select_option("cart")
    page.wait_for_url(re.compile("service=cart"))
    page.get_by_role("cell", name="store.Get").first.wait_for()


def test_services(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/services")
    page.get_by_text("a store has no joins of requests").wait_for()
    row = page.get_by_role("row").filter(has_text="shop")
    cells = row.get_by_role("cell").all_text_contents()
    assert cells == ["shop", "1.4, 1.5", "2", "184", "60 (32.6%)"]


def test_a_page_that_requires_traces(page: Any, viewer: Viewer) -> None:
    page.goto(f"{viewer.url}#/timeline")
    page.get_by_role("alert").filter(has_text="the page Timeline requires traces").wait_for()


def test_the_search_leads_to_pages_that_are_there(page: Any, viewer: Viewer) -> None:
    page.goto(viewer.url)
    page.get_by_text("Services", exact=True).first.wait_for()
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Name of a function").fill("get")
    match = page.get_by_role("row").filter(has_text="store.Get")
    match.get_by_role("link", name="Callers of store.Get").wait_for()
    assert match.get_by_role("link").all_text_contents() == ["store.Get", "callers"]
