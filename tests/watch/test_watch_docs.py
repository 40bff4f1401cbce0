"""docs/watch.md lists every key of the configuration with its default value and meaning."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from functrace.watch import config
from functrace.watch.triggers import KINDS
from tests.support.pythons import ROOT

PAGE = (ROOT / "docs" / "watch.md").read_text()
SECTIONS: dict[str, type] = {
    "": config.Config,
    **config.TABLES,
    "[service]": config.Service,
    **{f"triggers.{name}": kind.settings for name, kind in KINDS.items()},
}


def rows(keys: type) -> list[str]:
    """Return the rows of a table of keys."""
    found = [each.metadata for each in fields(keys) if each.metadata]
    return [f"| `{each['key']}` | {_toml(each['default'])} | {each['text']} |" for each in found]


def _toml(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"`[{', '.join(_toml(each).strip('`') for each in value)}]`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return "`{}`" if value == {} else f"`{value}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_keys_agree_with_the_code(section: str) -> None:
    heading = f"### `[{section}]`" if section else "### Top of the file"
    text = PAGE.split(f"{heading}\n")[1]
    documented = re.findall(r"^\| `.*\|$", re.split(r"^##", text, flags=re.M)[0], re.M)
    assert documented == rows(SECTIONS[section])


def test_every_section_has_keys() -> None:
    headings = set(re.findall(r"^### `\[(.*)\]`$", PAGE, re.M))
    assert headings == set(SECTIONS) - {""}


@pytest.mark.parametrize("example", re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S))
def test_examples_are_valid(example: str, tmp_path: Any) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(example)
    config.load(path)


def test_order_of_guilt() -> None:
    listed = re.search(r"the first of these is the guilty one: (.*?)\.", PAGE, re.S)
    assert listed is not None
    assert re.findall(r"`([\w-]+)`", listed[1]) == list(KINDS)
