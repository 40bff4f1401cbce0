"""Files of a bundle that are made from its trace."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from functrace.analysis.losses import missing
from functrace.analysis.triage import triage
from functrace.errors import FunctraceError
from functrace.export import dot, flamegraph, svg
from functrace.text import triage_text
from functrace.text.safe_text import plain
from functrace.tracefile import Trace
from functrace.watch.bundle_names import PROCESS, TRIAGE, archive_of
from functrace.watch.private_files import open_file, write_file, write_json

_WIDTH = 100
_ENTRIES = 2  # of each kind, as functrace triage shows
_LEVEL = 1  # most of the time goes into the trace, which a higher level makes little smaller


def write_triage(trace: Trace, folder: Path) -> None:
    """Write what ``functrace triage`` prints for the trace in the bundle's folder."""
    name = trace.path.name
    found = triage([replace(trace, path=Path(name))])
    lines = triage_text.page(found, [name], _ENTRIES, _WIDTH)
    write_file(folder / TRIAGE, "".join(f"{plain(line)}\n" for line in lines).encode())


def write_process(trace: Trace, folder: Path) -> None:
    """Write facts about the process and the extent of its trace."""
    first, last = trace.span
    write_json(
        folder / PROCESS,
        {
            "pid": trace.pid,
            "language": trace.language,
            "started_ns": trace.started,
            "is_running": trace.is_running,
            "description": trace.process,
            "functions": len(trace.functions),
            "tracks": len(trace.tracks),
            "events": trace.events,
            "first_event_ns": first,
            "last_event_ns": last,
            "missing": [*missing(trace), *trace.damage],
        },
    )


def draw_pictures(trace: Trace, folder: Path) -> Iterator[str]:
    """Draw what is not there yet. Yield a sentence for each picture that is missing."""
    yield from _write(folder / "flamegraph.svg", lambda file: flamegraph.write([trace], file))
    if shutil.which("dot") is None:
        errors = ["callgraph.svg: drawing it requires dot, a program of Graphviz, on PATH"]
    else:
        errors = list(_write(folder / "callgraph.svg", lambda file: svg.write([trace], file)))
    yield from errors
    if errors:  # the graph as text, which dot draws elsewhere
        yield from _write(folder / "callgraph.dot", lambda file: dot.write([trace], file))


def _write(path: Path, write: Callable[[Any], None]) -> Iterator[str]:
    if path.exists():
        return
    try:
        with open_file(path) as file:
            write(file)
    except FunctraceError as error:
        yield f"{path.name}: {error}"
    except OSError as error:
        yield f"{path.name}: {error.strerror}"


def write_archive(folder: Path) -> Path:
    """Write the zip file beside a bundle's folder."""
    path = archive_of(folder)
    with (
        open_file(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        for each in sorted(folder.iterdir()):
            archive.write(each, f"{folder.name}/{each.name}")
    return path
