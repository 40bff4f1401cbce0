"""The documentation site contains every page, and a broken link in it is found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import docs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def _pages(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from _pages(target)


def test_nav_has_every_page_once() -> None:
    nav = tomllib.loads((docs.ROOT / "zensical.toml").read_text())["project"]["nav"]
    pages = [path.name for path in (docs.ROOT / "docs").glob("*.md")]
    assert sorted(_pages(nav)) == sorted([*pages, *docs.PAGES.values()])


def test_links_between_pages() -> None:
    text = (
        "[a](docs/run.md#x) [b](CONTRIBUTING.md) [c](LICENSE) [d](examples/ci) [e](#own)\n"
        "![f](docs/pictures/flamegraph.svg) [g](https://example.com/docs/run.md)\n"
        "```\n[h](docs/run.md)\n```\n"
    )
    assert docs.rewrite_links(text, docs.ROOT) == (
        f"[a](run.md#x) [b](contributing.md) [c]({docs.SOURCE}/blob/main/LICENSE) "
        f"[d]({docs.SOURCE}/tree/main/examples/ci) [e](#own)\n"
        "![f](pictures/flamegraph.svg) [g](https://example.com/docs/run.md)\n"
        "```\n[h](docs/run.md)\n```\n"
    )
    text = "[a](../CONTRIBUTING.md) [b](go.md)"
    assert docs.rewrite_links(text, docs.ROOT / "docs") == "[a](contributing.md) [b](go.md)"


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "picture.svg").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="top"></h1><a href="run/#here">x</a><a href="run/#gone">x</a><a href="#top">x</a>'
        '<img src="picture.svg"><img src="none.svg"><a href="https://example.com/">x</a>'
    )
    (tmp_path / "run" / "index.html").write_text('<h2 id="here"></h2><a href="../#top">x</a>')
    assert docs.broken_links(tmp_path) == [
        "index.html: none.svg leads to no file",
        "index.html: run/#gone leads to no anchor",
    ]
