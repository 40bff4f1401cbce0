"""Bundle of a firing: what is needed to understand it, in a folder and a zip file.

A bundle is written in two steps. The trace, the reason and the triage appear together, under the
bundle's name, within a second. Pictures and profiles follow, then the zip file, which marks the
bundle as finished. Each step leaves alone what is there, so that a bundle whose watcher was killed
is finished by saving it again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import functrace
from functrace.errors import FunctraceError
from functrace.tracefile import Trace, copy_ring, open_trace
from functrace.watch import bundle_files
from functrace.watch.bundle_folder import folder_of, locked
from functrace.watch.bundle_names import PROCESS, TRIAGE, WHY, archive_of, trace_name
from functrace.watch.firing import Firing, to_json
from functrace.watch.pprof_profiles import PprofSettings, save_profiles
from functrace.watch.private_files import write_file, write_json


@dataclass(frozen=True)
class BundleSettings:
    """What to save of a process beside its trace.

    Attributes:
        labels: of its service, for why.json.
        owners: of its service or of the guilty function, for why.json.
        pprof_url: its pprof endpoint, if it has one.
        pprof: limits on profiles.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    pprof_url: str | None = None
    pprof: PprofSettings = field(default_factory=PprofSettings)


_NOTHING = BundleSettings()


@dataclass(frozen=True)
class SavedBundle:
    """A finished bundle.

    Attributes:
        firing: the firing that it belongs to.
        folder: its folder.
        archive: the zip file beside it.
        missing: a sentence for each file that could not be made.
    """

    firing: Firing
    folder: Path
    archive: Path
    missing: tuple[str, ...]


def save_bundle(
    firing: Firing, destination: Path, settings: BundleSettings = _NOTHING
) -> SavedBundle:
    """Save the bundle of a firing in a folder of bundles; finish it if it is there already.

    Raises:
        FunctraceError: the ring or the destination cannot be used; nothing is left behind.
    """
    folder = folder_of(firing, destination)
    try:
        with locked(folder) as current:
            if current != folder:
                _write_first(firing, current, settings)
                current.rename(folder)
            return _finish(firing, folder, settings)
    except OSError as error:
        raise FunctraceError(f"{error.filename or folder}: {error.strerror}") from None


def _write_first(firing: Firing, folder: Path, settings: BundleSettings) -> None:
    """Write what a reader of the folder needs at once."""
    trace = folder / trace_name(firing)
    try:
        if not trace.exists():
            if not (folder / WHY).exists():
                write_json(folder / WHY, _reason(firing, settings))
            write_file(trace, copy_ring(firing.process.ring))
        _describe(open_trace(trace), folder)
    except (FunctraceError, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _describe(trace: Trace, folder: Path) -> None:
    if not (folder / PROCESS).exists():
        bundle_files.write_process(trace, folder)
    if not (folder / TRIAGE).exists():
        bundle_files.write_triage(trace, folder)


def _reason(
    firing: Firing, settings: BundleSettings, missing: tuple[str, ...] = ()
) -> dict[str, object]:
    return {
        **to_json(firing),
        "labels": dict(settings.labels),
        "owners": list(settings.owners),
        "trace": trace_name(firing),
        "missing": list(missing),
        "functrace": functrace.__version__,
    }


def _finish(firing: Firing, folder: Path, settings: BundleSettings) -> SavedBundle:
    archive = archive_of(folder)
    if archive.exists():
        missing = json.loads((folder / WHY).read_bytes()).get("missing", ())
        return SavedBundle(firing, folder, archive, tuple(map(str, missing)))
    trace = open_trace(folder / trace_name(firing))
    sentences = list(bundle_files.draw_pictures(trace, folder))
    if settings.pprof_url:
        sentences += save_profiles(settings.pprof_url, folder, settings.pprof)
    write_json(folder / WHY, _reason(firing, settings, tuple(sentences)))
    return SavedBundle(firing, folder, bundle_files.write_archive(folder), tuple(sentences))
