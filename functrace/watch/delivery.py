"""Delivery of a bundle: saved, stored, and announced."""

from __future__ import annotations

import os
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.watch.bundle import BundleSettings, SavedBundle, save_bundle
from functrace.watch.bundle_folder import folder_of, read_firing
from functrace.watch.bundle_store import Retention, open_store
from functrace.watch.config import Config, Service
from functrace.watch.firing import Firing
from functrace.watch.pprof_profiles import PprofSettings
from functrace.watch.saving import Job, LostRingError


def deliver(job: Job, firing: Firing) -> str:
    """Save the bundle of a firing, store it, and return its location.

    Raises:
        FunctraceError: a step failed; the steps before it are not repeated.
    """
    config, failures = job.config, list[str]()
    retention = Retention(config.bundles.max_size_bytes, config.bundles.max_age_s)
    store = open_store(job.destination, retention, spool_of(job), failures.append)
    bundle = _save(firing, store.folder, config)
    place = store.keep(bundle)
    if failures:
        raise FunctraceError(*failures)
    return place


def _save(firing: Firing, folder: Path, config: Config) -> SavedBundle:
    settings = bundle_settings(config, config.service(firing.process.name))
    try:
        return save_bundle(firing, folder, settings)
    except FunctraceError:
        if read_firing(folder_of(firing, folder)) is None and not firing.process.ring.exists():
            raise LostRingError(f"{firing.process.ring} was removed before it was saved") from None
        raise


def bundle_settings(config: Config, service: Service) -> BundleSettings:
    """Return what to save of a process beside its trace."""
    return BundleSettings(
        labels=service.labels,
        owners=service.owners,
        pprof_url=service.pprof,
        pprof=PprofSettings(cpu_seconds=round(config.bundles.pprof_s)),
    )


def spool_of(job: Job) -> Path:
    """Return the folder for bundles that cannot be uploaded yet."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "functrace" / job.state.name
