"""Delivery of a bundle: saved, stored, and announced."""

from __future__ import annotations

import os
from pathlib import Path

from functrace.errors import FunctraceError
from functrace.messages import write_message
from functrace.watch.bundle import BundleSettings, SavedBundle, save_bundle
from functrace.watch.bundle_folder import folder_of, read_firing
from functrace.watch.bundle_store import Retention, open_store
from functrace.watch.config import Config, Service
from functrace.watch.firing import Firing
from functrace.watch.notice import Notice
from functrace.watch.notify import Notifier
from functrace.watch.owners import find_owners
from functrace.watch.pprof_profiles import PprofSettings
from functrace.watch.saving import Delivered, Job, LostRingError


def deliver(job: Job, firing: Firing) -> Delivered:
    """Save the bundle of a firing, store it, and notify its owners.

    Raises:
        FunctraceError: it cannot be saved or stored.
    """
    service = job.config.service(firing.process.name)
    owners = _owners(firing, service)
    place = _store(job, firing, bundle_settings(job.config, service, owners))
    notifier = Notifier(_warn)
    if service.notify is not None:
        notifier.notify(Notice(firing, place, owners, service.labels), service.notify)
    return Delivered(place, notifier.failures)


def _store(job: Job, firing: Firing, settings: BundleSettings) -> str:
    failures: list[str] = []
    retention = Retention(job.config.bundles.max_size_bytes, job.config.bundles.max_age_s)
    store = open_store(job.destination, retention, spool_of(job), failures.append)
    place = store.keep(_save(firing, store.folder, settings))
    if failures:
        raise FunctraceError(*failures)
    return place


def _save(firing: Firing, folder: Path, settings: BundleSettings) -> SavedBundle:
    try:
        return save_bundle(firing, folder, settings)
    except FunctraceError:
        if read_firing(folder_of(firing, folder)) is None and not firing.process.ring.exists():
            raise LostRingError(f"{firing.process.ring} was removed before it was saved") from None
        raise


def bundle_settings(config: Config, service: Service, owners: tuple[str, ...]) -> BundleSettings:
    """Return what to save of a process beside its trace."""
    return BundleSettings(
        labels=service.labels,
        owners=owners,
        pprof_url=service.pprof,
        pprof=PprofSettings(cpu_seconds=max(round(config.bundles.pprof_s), 1)),
    )


def _owners(firing: Firing, service: Service) -> tuple[str, ...]:
    codeowners = service.notify.codeowners if service.notify is not None else None
    try:
        return find_owners(firing, service.owners, Path(codeowners) if codeowners else None)
    except FunctraceError as error:
        _warn(str(error))
        return service.owners


def _warn(message: str) -> None:
    write_message(message, sender="functrace watch")


def spool_of(job: Job) -> Path:
    """Return the folder for bundles that cannot be uploaded yet."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "functrace" / job.state.name
