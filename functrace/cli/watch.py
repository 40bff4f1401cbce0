"""The verb ``functrace watch``: save a bundle when something goes wrong in a running program."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from functrace import extras
from functrace.cli import shared_options
from functrace.cli.render import terminal
from functrace.errors import FunctraceError, UsageError

if TYPE_CHECKING:
    from functrace.watch.config import Config
    from functrace.watch.metrics import Metrics
    from functrace.watch.ring_rollups import Rolling
    from functrace.watch.state_folder import StateFolder

_PATIENCE_S = 30.0
_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("-o", "--out", metavar="DIR_OR_URL", help="Write bundles to this folder or URL.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Read triggers, services and notifications from this TOML file; again on SIGHUP.",
)
@click.option(
    "--rollup",
    metavar="STORE",
    help="Write a rollup of each process and minute to this folder or URL; see docs/rollups.md.",
)
@click.option(
    "--rings",
    type=_folder,
    metavar="FOLDER",
    help="Follow the rings in this folder.  [default: all of this user; for root, of all users]",
)
@click.option(
    "--state",
    type=_folder,
    metavar="FOLDER",
    help="State folder of the watcher, for what is not saved yet.  [default: one in the folder of"
    " rings]",
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    help="Serve the API also on this loopback address, such as 127.0.0.1:7171.",
)
@click.option(
    "--status",
    is_flag=True,
    help="Show the triggers of the running watcher: values, thresholds, when they came close.",
)
@shared_options.as_json
@shared_options.color
def watch(names: tuple[str, ...], *, status: bool, as_json: bool, **options: Any) -> None:
    """Follow programs that run with FUNCTRACE=ring; save a bundle when something goes wrong.

    A bundle is a folder with the latest calls as a trace, the reason, a triage and pictures. NAME
    is a program name or a pattern such as 'shop-*'; without one all programs are followed.
    """
    if status:
        _show_status(as_json=as_json, **options)
    elif as_json:
        raise UsageError("--json requires --status")
    else:
        _run(names, **options)


def _run(
    names: tuple[str, ...],
    out: str | None,
    config: Path | None,
    rollup: str | None,
    rings: Path | None,
    state: Path | None,
    listen: str | None,
) -> None:
    for module in ("psutil", "tree_sitter_toml"):
        extras.require(module, "watch", "functrace watch")
    from functrace.watch.control_server import serving
    from functrace.watch.following import Following
    from functrace.watch.priority import lower_priority
    from functrace.watch.state_folder import StateFolder, state_path
    from functrace.watch.watcher import Watcher

    found = _load(config)
    destination = out or found.destination
    if destination is None:
        raise UsageError("name a folder or URL for the bundles with --out")
    folder = StateFolder(state or state_path(destination, rings))
    folder.create()
    with folder.locked():
        load = (lambda: _load(config)) if config else None
        with _serving_metrics(found) as metrics, _rolling_up(found, rollup, folder) as rolling:
            following = Following(rings, names, report=_report, rolling=rolling)
            watcher = Watcher(following, found, destination, folder, _report, load, metrics)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: watcher.end())
            signal.signal(signal.SIGHUP, lambda *_: watcher.reload())
            with serving(watcher, folder.path, listen, folder.token()) as address:
                _report(f"writing bundles to {destination}; state in {folder.path}")
                if address is not None:
                    host, port = address
                    _report(f"API at http://{host}:{port}; token in {folder.path / 'token'}")
                watcher.start()
                lower_priority()  # of this thread, not of the one that saves
                watcher.run()
            following.roll_up()
    _report("ended")


@contextmanager
def _rolling_up(config: Config, place: str | None, folder: StateFolder) -> Iterator[Rolling | None]:
    """Yield how calls are rolled up; None if there is no store. At the end, write what is left."""
    place = place or config.rollup.store
    if place is None:
        yield None
        return
    extras.require("pyarrow", "parquet", "functrace watch --rollup")
    from functrace.watch.ring_rollups import Rolling
    from functrace.watch.rollup_writer import RollupWriter

    writer = RollupWriter(place, folder.path, _report)
    _report(f"writing rollups to {place}")
    writer.start()
    try:
        yield Rolling(config.rollup.width_ns, writer.position, writer.put)
    finally:
        writer.end(_PATIENCE_S)


@contextmanager
def _serving_metrics(config: Config) -> Iterator[Metrics | None]:
    if config.metrics.listen is None:
        yield None
        return
    from functrace.watch.metrics import Metrics
    from functrace.watch.metrics_server import MetricsServer

    metrics = Metrics(config.metrics.functions)
    server = MetricsServer(config.metrics.listen, metrics)
    _report(f"metrics at {server.url}")
    try:
        yield metrics
    finally:
        server.close()


def _load(path: Path | None) -> Config:
    from functrace.watch import config

    return config.load(path) if path else config.default_config()


def _report(line: str) -> None:
    terminal.echo(f"functrace watch: {line}", err=True)


def _show_status(
    *, as_json: bool, out: str | None, rings: Path | None, state: Path | None, **_others: Any
) -> None:
    from functrace.cli.render import watch_text
    from functrace.watch.control_client import find_watchers, request
    from functrace.watch.state_folder import state_path

    if out is not None and state is None:
        state = state_path(out, rings)
    watchers = find_watchers(state, rings)
    if not watchers:
        raise FunctraceError("no watcher is running; start one with functrace watch --out DIR")
    found = [{"state": str(each), **request(each, "/v1/status")} for each in watchers]
    if as_json:
        terminal.print_json({"watchers": found})
        return
    for each in found:
        for line in watch_text.status(each):
            terminal.echo(line)
