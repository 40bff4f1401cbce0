"""Lines of text in which every part from outside is escaped."""

from __future__ import annotations

from typing import Any

import click

from functrace.runtime.escaping import escape


class SafeText(str):
    """Text that needs no escaping: already escaped, or our own, such as a style or a tab."""

    __slots__ = ()


def style(text: str, **how: Any) -> SafeText:
    """Return ``text`` escaped and in a click style."""
    return SafeText(click.style(escape(text), **how))


def plain(text: SafeText) -> SafeText:
    """Return ``text`` without styles."""
    return SafeText(click.unstyle(text))


def line(*parts: str) -> SafeText:
    """Join ``parts`` to a line; escape each that is not :class:`SafeText`, line breaks included."""
    return SafeText(
        "".join([part if isinstance(part, SafeText) else escape(part) for part in parts])
    )
