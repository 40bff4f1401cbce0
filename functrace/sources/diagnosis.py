"""What inject would do to the sources, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from functrace.results import Summary
from functrace.sources import job
from functrace.sources.folder_tasks import find_tasks
from functrace.sources.request import Language, Request
from functrace.units import count, several


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        subject: what was looked at.
        state: what was found.
        advice: what to do about it; empty if all is well.
    """

    subject: str
    state: str
    advice: str = ""


def languages_of(request: Request) -> list[Language]:
    """Those of the request's languages that there are sources of."""
    found = list(find_tasks(request, lambda *_: None))
    numbered = enumerate(request.languages)
    return [lang for i, lang in numbered if any(task.parts[i].sources for task in found)]


def diagnose(request: Request) -> Iterator[Finding]:
    """Yield what the request would do, which changes nothing."""
    summary = job.run(request)
    advice = "" if summary.files else f"no {request.language_names()} files there"
    yield Finding("sources", _counted(summary), advice)
    for reason, number in summary.skipped.most_common():
        yield Finding("skipped", f"{several(number, 'function')}: {reason}")
    for reason, number in summary.left.most_common():
        yield Finding("left alone", f"{count(number)}: {reason}")
    for error in sorted(summary.errors):
        yield Finding("cannot read", error, "this file would be left as it is")


def _counted(summary: Summary) -> str:
    traced = f", {count(summary.traced)} traced already" if summary.traced else ""
    files, functions = several(summary.changed, "file"), several(summary.functions, "function")
    return f"{files}, {functions} to instrument{traced}"
