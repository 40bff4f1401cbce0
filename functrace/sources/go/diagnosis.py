"""Is everything there that a traced Go program takes, and if not, what stands in the way?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from functrace.sources.diagnosis import Finding
from functrace.sources.go import runtime_copy, runtime_folder, toolchain
from functrace.sources.go.module import Module, module_of


def diagnose(folder: Path) -> Iterator[Finding]:
    """Yield what was found for the module of ``folder``, which is absolute."""
    yield _toolchain()
    module = module_of(folder)
    yield _module(module)
    if module:
        yield _runtime(module)


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
    folder = runtime_folder.find(module)
    imported = module.package(folder) if folder else module.required_runtime()
    there = runtime_copy.version_in(folder) if folder else None
    own = runtime_copy.own_version()
    if imported is None:
        return Finding("runtime", "none in this module", "run `functrace runtime add`")
    if there and there != own:
        return Finding(
            "runtime", f"{imported}, version {there}", f"`functrace runtime add` brings {own}"
        )
    return Finding("runtime", imported + (f", version {there}" if there else ", from go.mod"))
