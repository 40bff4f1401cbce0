"""Records of what light builds instrumented, one per compiled package.

The compiler decides which functions are left out, so only its process knows the counts. Its record
stays in the cache under the go command's id of the compilation, which later builds that reuse
the compiled package find in their action graph.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from functrace.cache import entries
from functrace.gobuild import packages
from functrace.gobuild.instrument import Instrumented, read_instrumented
from functrace.gobuild.package_filter import import_path_of
from functrace.gobuild.session import Session
from functrace.results import FileResult, Summary
from functrace.units import several


def put(session: Session, action_id: str, package: str, files: Sequence[Instrumented]) -> None:
    """Record the instrumented files of a package."""
    about = [package, [(file.path, file.key) for file in files if file.key]]
    entries.put(session.cache, _key(action_id), json.dumps(about).encode())


def count(session: Session, keep: Path | None) -> tuple[Summary | None, int]:
    """Count what is instrumented in the packages of a finished build, and in how many of them.

    The summary is None if no package was compiled. Copies of the instrumented files are written
    to ``keep`` if given. A file that is compiled twice, with and without its package's tests,
    counts once.
    """
    summary = Summary()
    touched: set[str] = set()
    seen: dict[tuple[str, str], FileResult] = {}
    unknown = 0
    action_ids = list(_find_action_ids(session))
    for action_id in action_ids:
        record = _read(session, action_id)
        if record is None:
            unknown += 1
            continue
        package, files = record
        for file in files:
            seen[import_path_of(package), os.path.basename(file.path)] = file.result
            if file.result.functions:
                touched.add(import_path_of(package))
            if keep is not None and file.text is not None:
                packages.keep_copy(keep, package, file.path, file.text)
    summary.add(seen.values())
    if unknown:
        summary.notes.append(
            f"the functions of {several(unknown, 'package')}, compiled earlier, are not counted: "
            "the counts are no longer in functrace's cache; build with -a to count them"
        )
    return (summary if action_ids else None), len(touched)


def _find_action_ids(session: Session) -> Iterator[str]:
    """Yield the ids of the successful compilations of packages in scope."""
    try:
        actions = json.loads(session.graph.read_bytes())
    except (OSError, ValueError):
        return  # the go command failed or was killed
    for action in actions:
        if (
            action.get("Mode") == "build"
            and "BuildID" in action
            and session.scope.contains(action["Package"])
        ):
            yield action["ActionID"]


def _read(session: Session, action_id: str) -> tuple[str, list[Instrumented]] | None:
    kept = entries.read(session.cache, _key(action_id))
    if kept is None:
        return None
    package, pairs = json.loads(kept)
    files = [read_instrumented(session, path, key) for path, key in pairs]
    found = [file for file in files if file is not None]
    return (package, found) if len(found) == len(files) else None


def _key(action_id: str) -> str:
    return hashlib.sha256(f"light {action_id}".encode()).hexdigest()
