"""Is everything there that a traced Go program takes, and if not, what stands in the way?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from functrace import __version__
from functrace.golang import job, runtime, toolchain
from functrace.golang.module import Module, module_of
from functrace.golang.request import Mode, Request, Verb
from functrace.report import Summary


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


def diagnose(paths: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what was found, from the toolchain to the functions of ``paths``."""
    yield Finding("functrace", __version__)
    yield _toolchain()
    module = module_of(Path(paths[0].removesuffix("/...") or "/").resolve())
    yield _module(module)
    if module:
        yield _runtime(module)
    yield from _sources(paths)
    if environment.get("FUNCTRACE"):
        yield Finding("environment", f"FUNCTRACE={environment['FUNCTRACE']}")


def _toolchain() -> Finding:
    found = toolchain.find()
    if found is None:
        return Finding("Go", "no go command on PATH", "install Go 1.21 or newer")
    if found.is_too_old:
        return Finding("Go", f"{found.version} at {found.go}", "functrace needs Go 1.21 or newer")
    return Finding("Go", f"{found.version} at {found.go}")


def _module(module: Module | None) -> Finding:
    if module is None:
        return Finding("module", "no go.mod here or above", "`go mod init` makes a module")
    return Finding("module", f"{module.path} in {module.root}")


def _runtime(module: Module) -> Finding:
    imported = runtime.import_path(module)
    there = runtime.version_in(module.root / runtime.FOLDER)
    own = runtime.own_version()
    if imported is None:
        return Finding("runtime", "none in this module", "run `functrace runtime add`")
    if there and there != own:
        return Finding(
            "runtime", f"{imported}, version {there}", f"`functrace runtime add` brings {own}"
        )
    return Finding("runtime", imported + (f", version {there}" if there else ", from go.mod"))


def _sources(paths: tuple[str, ...]) -> Iterator[Finding]:
    summary = job.run(Request(Verb.INJECT, Mode.COUNT, paths))
    yield Finding("sources", _counted(summary), "" if summary.files else "no Go files there")
    for reason, count in summary.skipped.most_common():
        yield Finding("skipped", f"{count} functions: {reason}")
    for reason, count in summary.left.most_common():
        yield Finding("left alone", f"{count}: {reason}")
    for error in sorted(summary.errors):
        yield Finding("cannot read", error, "this file would be left as it is")


def _counted(summary: Summary) -> str:
    traced = f", {summary.traced} traced already" if summary.traced else ""
    return f"{summary.files} files, {summary.functions} functions to instrument{traced}"
