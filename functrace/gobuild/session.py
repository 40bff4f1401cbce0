"""Session of one ``functrace go`` run: settings shared with its compiler processes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from functrace.gobuild import request_hooks
from functrace.gobuild.package_filter import Scope
from functrace.sources.go.module import Module
from rewriter.filters import Filters
from rewriter.golang import Layout, Options

MARK = "-functrace="
# Import path of the runtime in instrumented packages. The reserved domain .invalid guarantees that
# no module of that name exists.
# Source: https://www.rfc-editor.org/rfc/rfc2606
RUNTIME = "functrace.invalid/functrace"


@dataclass(frozen=True)
class Session:
    """Settings of one run.

    Attributes:
        folder: the session's directory, deleted when the run ends.
        key: digest of version, options and runtime, for caches.
        scope: the packages to instrument.
        resolution: settings that determine which directory a package is built from.
        options: of the rewriter, except the file's location and its neighbours' names.
        cache: the cache directory of instrumented files.
        runtime: the directory of the runtime's module.
        go: the go command that builds; it does not switch to another toolchain.
        go_flags: flags of the build that its standard library depends on.
        pgo: the build's ``-pgo``: a path, ``off`` or ``auto``.
        toolexec: the user's own ``-toolexec``.
        light: leave out functions that the compiler can inline.
    """

    folder: str
    key: str
    scope: Scope
    resolution: tuple[str, ...]
    options: Options
    cache: str
    runtime: str
    go: str
    go_flags: tuple[str, ...]
    pgo: str
    toolexec: tuple[str, ...]
    light: bool

    @property
    def graph(self) -> Path:
        """The file to which the go command writes the build's action graph."""
        return Path(self.folder) / "graph.json"

    def marks(self) -> dict[str, str]:
        """Return the compiler flags for the packages in scope, by package pattern.

        The go command applies the last pattern that matches a package. The patterns match
        more packages than the scope contains, so the mark, which gives packages separate entries
        in the build cache, is a digest of everything that decides which of them are instrumented
        and how. The standard library depends on fewer settings and is shared by more builds.
        Packages with request hooks have marks of their own, in any scope.
        """
        scope = self.scope
        paths = [module.path for module in scope.modules]
        marks = dict.fromkeys(scope.own_patterns(), self._mark(paths, scope.deps, self.resolution))
        for pattern in scope.dependency_patterns():
            marks.pop(pattern, None)  # an existing key would keep its position
            marks[pattern] = self._mark(paths, scope.deps, self.resolution)
        if scope.std:
            marks["std"] = self._mark("std")
        elif scope.deps:
            marks["std"] = ""
        for package in request_hooks.HOOKED:
            marks.pop(package, None)
            is_standard = scope.is_standard(package)
            about = [] if is_standard else [paths, scope.deps, self.resolution]
            marks[package] = self._mark("requests", bool(scope.std), *about)
        return marks

    def _mark(self, *about: object) -> str:
        digest = hashlib.sha256(json.dumps([self.key, *about]).encode(errors="surrogateescape"))
        return MARK + digest.hexdigest()[: len(self.key)]

    def save(self) -> Path:
        """Write the session to a file in its directory; return the path."""
        data = asdict(self)
        data["options"] = {
            "closures": self.options.closures,
            "skip_generated": self.options.skip_generated,
            "ignore_other_runtimes": self.options.ignore_other_runtimes,
            "errors": self.options.errors,
            "filters": asdict(self.options.filters),
        }
        path = Path(self.folder) / "session.json"
        path.write_text(json.dumps(data, default=str), encoding="utf-8")
        return path


def load(path: str) -> Session:
    """Return the session that :meth:`Session.save` wrote to ``path``."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    modules = tuple(Module(Path(m["root"]), m["path"]) for m in data["scope"]["modules"])
    scope = data["scope"]
    data["scope"] = Scope(modules, tuple(scope["deps"]), Path(scope["goroot"]), tuple(scope["std"]))
    data["options"] = _options(**data["options"])
    for name in ("go_flags", "resolution", "toolexec"):
        data[name] = tuple(data[name])
    return Session(**data)


def build_options(options: Options) -> Options:
    """Return the rewriter's options for a build: line numbers kept, syntax left to the compiler."""
    return replace(options, runtime_import=RUNTIME, layout=Layout.BUILD, is_known_valid=True)


def _options(filters: dict[str, Any], **flags: bool) -> Options:
    """Return the options that :meth:`Session.save` wrote."""
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in filters.items()}
    return build_options(Options(filters=Filters(**tuples), **flags))  # type: ignore[arg-type]
