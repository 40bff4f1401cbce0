"""What inject would do to the sources, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from functrace.report import Summary
from functrace.sources import job
from functrace.sources.language import Language
from functrace.sources.request import Request
from functrace.sources.tasks import tasks


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
    found = list(tasks(request))
    numbered = enumerate(request.languages)
    return [lang for i, lang in numbered if any(task.parts[i].sources for task in found)]


def diagnose(request: Request) -> Iterator[Finding]:
    """Yield what the request would do, which changes nothing."""
    summary = job.run(request)
    advice = "" if summary.files else f"no {request.named()} files there"
    yield Finding("sources", _counted(summary), advice)
    for reason, count in summary.skipped.most_common():
        yield Finding("skipped", f"{count} functions: {reason}")
    for reason, count in summary.left.most_common():
        yield Finding("left alone", f"{count}: {reason}")
    for error in sorted(summary.errors):
        yield Finding("cannot read", error, "this file would be left as it is")


def _counted(summary: Summary) -> str:
    traced = f", {summary.traced} traced already" if summary.traced else ""
    return f"{summary.files} files, {summary.functions} functions to instrument{traced}"
