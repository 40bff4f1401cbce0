"""Findings of ``functrace doctor``: toolchains, runtimes and sources, with advice."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from functrace.results import Summary
from functrace.runtime.native import FALLBACK_WARNING
from functrace.sources import job
from functrace.sources.folder_tasks import find_tasks
from functrace.sources.go import runtime_copy, runtime_folder, toolchain
from functrace.sources.go.module import Module, find_module
from functrace.sources.go.required_runtime import find_required_runtime
from functrace.sources.python import imports
from functrace.sources.run_request import Language, Request
from functrace.units import count, several


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        subject: what was checked.
        state: the result.
        advice: how to fix a problem; empty without one.
    """

    subject: str
    state: str
    advice: str = ""


def find_languages(request: Request) -> list[Language]:
    """Return the languages of the request that have sources."""
    found = list(find_tasks(request, lambda *_: None))
    numbered = enumerate(request.languages)
    return [lang for i, lang in numbered if any(task.parts[i].sources for task in found)]


def diagnose_sources(request: Request) -> Iterator[Finding]:
    """Yield what ``inject`` would do; nothing is changed."""
    summary = job.run(request)
    advice = "" if summary.files else f"no {request.language_names()} files there"
    yield Finding("sources", _counted(summary), advice)
    for reason, number in summary.skipped.most_common():
        yield Finding("skipped", f"{several(number, 'function')}: {reason}")
    for reason, number in summary.left.most_common():
        yield Finding("left alone", f"{count(number)}: {reason}")
    for error in sorted(summary.errors):
        yield Finding("cannot read", error, "inject would leave this file unchanged")


def _counted(summary: Summary) -> str:
    traced = f", {count(summary.traced)} traced already" if summary.traced else ""
    files, functions = several(summary.changed, "file"), several(summary.functions, "function")
    return f"{files}, {functions} to instrument{traced}"


def diagnose_go(folder: Path) -> Iterator[Finding]:
    """Yield findings on the Go toolchain, module and runtime for ``folder``, which is absolute."""
    yield _check_toolchain()
    module = find_module(folder)
    yield _check_module(module)
    if module:
        yield _check_runtime(module)


def _check_toolchain() -> Finding:
    found = toolchain.find()
    if found is None:
        return Finding("Go", "no go command on PATH", "install Go 1.21 or newer")
    if found.is_too_old:
        return Finding("Go", f"{found.version} at {found.go}", "functrace needs Go 1.21 or newer")
    return Finding("Go", f"{found.version} at {found.go}")


def _check_module(module: Module | None) -> Finding:
    if module is None:
        return Finding("module", "no go.mod here or above", "`go mod init` makes a module")
    return Finding("module", f"{module.path} in {module.root}")


def _check_runtime(module: Module) -> Finding:
    folder = runtime_folder.find(module)
    imported = module.import_path(folder) if folder else find_required_runtime(module)
    there = runtime_copy.read_version(folder) if folder else None
    own = runtime_copy.bundled_version()
    if imported is None:
        return Finding("runtime", "none in this module", "run `functrace runtime add`")
    if there and there != own:
        return Finding(
            "runtime", f"{imported}, version {there}", f"`functrace runtime add` brings {own}"
        )
    return Finding("runtime", imported + (f", version {there}" if there else ", from go.mod"))


def diagnose_python(folder: Path) -> Iterator[Finding]:
    """Yield findings on Python and its runtime for the sources in ``folder``, which is absolute."""
    yield Finding(
        "Python",
        f"{platform.python_version()} at {sys.executable}, whose syntax the sources must have",
    )
    if FALLBACK_WARNING:
        yield Finding("recorder", FALLBACK_WARNING)
    environments = [*imports.find_site_packages(folder)]
    if environments and not imports.is_installed(folder):
        advice = f"`pip install {imports.DISTRIBUTION}` there, for instrumented sources to run"
        yield Finding("runtime", f"none in {environments[0]}", advice)
    elif environments:
        yield Finding("runtime", f"in {environments[0]}")
    for other in imports.find_foreign(folder, ()):
        yield Finding("runtime", f"another one: {other}", "it would be imported in ours' place")
