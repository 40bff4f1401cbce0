"""A saved page in a browser, from the file alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.analysis.recorded import Recorded
from tests.cli import faulty
from tests.view.serving import Viewer

pytestmark = pytest.mark.slow  # a browser

_FILTERS = (
    "errors=1",
    "tracks=1,2",
    "from=1000&to=2000",  # a call starts then
    "min_duration=1000",
    f"include={faulty.GET}",
    f"exclude={faulty.QUERY}",
)


def save(folder: Path, trace: str, name: str) -> None:
    """Save the page of a trace."""
    words = ["view", trace, "--save", name]
    subprocess.run([sys.executable, "-m", "functrace", *words], cwd=folder, check=True)


def calls_of(page: Any) -> tuple[str, list[str]]:
    """Return the number of calls on the page and the rows of their table."""
    page.locator("tbody tr").first.wait_for()
    return (
        page.locator("p.muted").first.text_content(),
        page.locator("tbody tr").all_text_contents(),
    )


@pytest.fixture(scope="module")
def address(folder: Path) -> str:
    """The address of a saved page."""
    save(folder, "faulty.ftrace", "saved.html")
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
    page.get_by_label("Include").fill(faulty.GET)
    page.wait_for_url(re.compile("include="))
    page.locator("tbody td:nth-child(4)", has_text="main.").first.wait_for(state="detached")
    assert rows.count() > 0


@pytest.mark.parametrize("filters", _FILTERS)
def test_a_saved_page_filters_calls_as_the_server_does(
    context: Any, address: str, viewer: Viewer, filters: str
) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto(f"{viewer.url}#/calls?{filters}")
    second.goto(f"{address}#/calls?{filters}")
    found = calls_of(first)
    assert found
    assert calls_of(second) == found


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({"errors": "1"}, {}),
        ({"tracks": "1,2"}, {}),
        ({"q": "7"}, {}),
        ({"q": "main.work"}, {}),
        ({"from": "0", "to": "1000"}, {"shown": "range"}),
    ],
)
def test_a_saved_page_filters_tracks_as_the_server_does(
    page: Any, address: str, viewer: Viewer, filters: dict[str, str], shown: dict[str, str]
) -> None:
    total = viewer.get("tracks", **filters)["total"]
    assert total < viewer.get("tracks")["total"]
    page.goto(f"{address}#/timeline?{urlencode(filters | shown)}")
    page.locator(".status", has_text=f"{total} of {total} tracks").wait_for()


def test_a_saved_page_of_services_shows_the_calls_and_tracks_of_one(
    folder: Path, page: Any, services: Viewer
) -> None:
    save(folder, "mall", "mall.html")
    service = services.get("session")["traces"][0]["service"]
    total = services.get("calls", service=service)["total"]
    assert 0 < total < services.get("calls")["total"]
    address = (folder / "mall.html").as_uri()
    page.goto(f"{address}#/calls?service={service}")
    page.get_by_text(re.compile(f"^{total} calls?$")).wait_for()
    total = services.get("tracks", service=service)["total"]
    page.goto(f"{address}#/timeline?service={service}")
    page.locator(".status", has_text=f"{total} of {total} tracks").wait_for()


@pytest.mark.parametrize("filters", ["include=*Get", "exclude=store.*", "include=Get"])
def test_a_saved_page_takes_no_globs(page: Any, address: str, filters: str) -> None:
    page.goto(f"{address}#/calls?{filters}")
    page.locator(".failure", has_text="functrace view matches globs").wait_for()


def test_merged_calls_are_not_shown_as_one(tmp_path: Path, page: Any) -> None:
    program = Recorded("main.main", "main.work")
    main = program.goroutine(1)
    with main.inside("main.main"):
        main.call("main.work", times=100_000)
    program.write(tmp_path / "many.ftrace")
    save(tmp_path, "many.ftrace", "many.html")
    address = (tmp_path / "many.html").as_uri()
    page.goto(address)
    saved = json.loads(page.locator("#saved").text_content())
    row = next(row for row in saved["answers"]["window"]["tracks"][0]["rows"] if row["depth"])
    index = next(index for index, calls in enumerate(row["calls"]) if calls > 1)
    select = f"0:{row['start'][index]}:{row['depth']}:{row['duration'][index]}"
    page.goto(f"{address}#/timeline?select={select}")
    page.locator(".details .failure", has_text="does not contain the call").wait_for()


def test_figures_that_were_added_up_are_not_filtered(page: Any, address: str) -> None:
    page.goto(f"{address}#/flame?errors=1")
    page.get_by_text("a saved page has the figures of all its calls only").wait_for()
