"""Functions that the page names, as it shows them or by a glob."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from functrace.analysis.function_filter import function_filter
from functrace.globs import glob_of, parse_globs
from functrace.text import similar_names
from functrace.tracefile import Function, Trace
from functrace.view.answers import visible_text


class Named(Protocol):
    """Functions by name: those of the traces that a server shows, or of its store."""

    @property
    def functions(self) -> Sequence[Function]:
        """All functions."""

    @property
    def traces(self) -> Sequence[Trace]:
        """The traces that have them."""


def matching_names(session: Named, text: str) -> set[str]:
    """Return the names that the page shows as ``text``, else those that it matches as a glob.

    Raises:
        UsageError: it is neither a name nor a valid glob.
        FunctraceError: no function has such a name.
    """
    names = _shown_as(session, text)
    if not names:
        matches = function_filter(session.traces, [text], "function")
        names = {function.name for function in session.functions if matches(function)}
    if not names:
        raise similar_names.no_function_error(text, session.traces)
    return names


def globs(session: Named, text: str, parameter: str) -> tuple[str, ...]:
    """Return the globs in a list, or one for the function that the page shows as ``text``.

    Raises:
        UsageError: it is neither a name nor a list of valid globs.
    """
    if _shown_as(session, text):
        return (glob(session, text),)
    return parse_globs([text], parameter)


def glob(session: Named, text: str) -> str:
    """Return what names a function on the command line, or ``text`` if it is not a name."""
    names = _shown_as(session, text)
    if not names:
        return text
    name = min(names)
    is_request = any(each.direction for each in session.functions if each.name == name)
    return name if is_request else glob_of(name)


def _shown_as(session: Named, text: str) -> set[str]:
    if not text:
        return set()
    return {f.name for f in session.functions if text in (f.name, visible_text(f.name))}
