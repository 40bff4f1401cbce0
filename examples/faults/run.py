"""Two services, six faults and `functrace watch`: each fault gives exactly one bundle.

First the services are quiet under load, which gives none. Then each fault happens in both of them.
Bundles, logs and a summary are left in --out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bundles import Bundle, list_bundles, wait_for_bundle
from catalogue import FAULTS, Fault
from services import COMMANDS, Service

_FOLDER = Path(__file__).parent
_PATIENCE_S = 120


class Scenario:
    """A run of the services and the watcher.

    Attributes:
        failures: what was not as expected.
    """

    def __init__(self, services: list[Service], out: Path, rest: float) -> None:
        self.failures: list[str] = []
        self._services = services
        self._out = out
        self._rest = rest

    def be_quiet(self, seconds: float) -> None:
        """Let the services run under load; that gives no bundle."""
        print(f"\n{seconds:.0f} quiet seconds", flush=True)
        time.sleep(seconds)
        for bundle in list_bundles(self._out).values():
            self._fail(f"a bundle without a fault: {bundle.folder.name}: {bundle.summary}")

    def break_services(self, fault: Fault) -> None:
        """Let a fault happen in all services; it gives one bundle of each."""
        print(f"\n{fault.name}: {fault.title}", flush=True)
        known = set(list_bundles(self._out))
        for service in self._services:
            self._break(service, fault)
        for service in self._services:
            wait_for_bundle(self._out, known, service.name, _PATIENCE_S)
            self._repair(service, fault)
        time.sleep(self._rest)
        found = list_bundles(self._out)
        new = [found[name] for name in found.keys() - known]
        for service in self._services:
            self._check(fault, service, [each for each in new if each.service == service.name])

    def _break(self, service: Service, fault: Fault) -> None:
        service.set_fault(fault.name, fault.share)
        if fault.seconds is not None:
            time.sleep(fault.seconds)
            service.set_fault(fault.name, 0)

    def _repair(self, service: Service, fault: Fault) -> None:
        if service.has_ended():
            service.restart()
        elif fault.seconds is None:
            service.set_fault(fault.name, 0)

    def _check(self, fault: Fault, service: Service, bundles: list[Bundle]) -> None:
        culprit = fault.culprits[service.name]
        for bundle in bundles:
            print(f"  {service.name}: {bundle.trigger}: {bundle.summary}\n    {bundle.folder}")
        if len(bundles) != 1:
            self._fail(f"{fault.name} in {service.name} gave {len(bundles)} bundles")
            return
        (bundle,) = bundles
        if bundle.trigger not in fault.triggers:
            self._fail(f"{fault.name} in {service.name} fired the trigger {bundle.trigger}")
        if culprit not in bundle.triage:
            self._fail(f"the triage of {fault.name} in {service.name} does not name {culprit}")

    def _fail(self, text: str) -> None:
        self.failures.append(text)
        print(f"  FAILED: {text}", flush=True)


@contextlib.contextmanager
def watching(out: Path, rings: Path, config: Path | None) -> Iterator[None]:
    """Run the watcher; it has to end by itself after SIGTERM."""
    command = [sys.executable, "-m", "functrace", "watch", "--out", str(out), "--rings", str(rings)]
    if config is not None:
        command += ["--config", str(config)]
    with (out / "watch.log").open("w") as log:
        watcher = subprocess.Popen(command, stderr=log)
    try:
        yield
        if watcher.poll() is not None:
            raise RuntimeError(f"the watcher ended: {(out / 'watch.log').read_text()}")
    finally:
        watcher.terminate()
        watcher.wait()


@contextlib.contextmanager
def running(names: list[str], folder: Path, rings: Path) -> Iterator[list[Service]]:
    """Run the services of these names."""
    with contextlib.ExitStack() as stack:
        services = []
        for name in names:
            services.append(Service(name, folder, rings))
            stack.callback(services[-1].remove)
        yield services


@contextlib.contextmanager
def ring_folder() -> Iterator[Path]:
    """Create a folder for rings in memory."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="functrace-faults-", dir=memory if memory.is_dir() else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


def run(options: argparse.Namespace) -> list[str]:
    """Run the scenario and return what was not as expected."""
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    chosen = [fault for fault in FAULTS if fault.name in options.faults]
    with (
        ring_folder() as rings,
        watching(out, rings, options.config),
        running(options.services, out, rings) as services,
    ):
        for service in services:
            print(f"{service.name}: memory limit by {service.limit_kind}")
        scenario = Scenario(services, out, options.rest)
        scenario.be_quiet(options.quiet)
        for fault in chosen:
            scenario.break_services(fault)
    return scenario.failures


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names, services = [fault.name for fault in FAULTS], list(COMMANDS)
    parser.add_argument("--out", type=Path, default=Path("build/faults"), help="folder of bundles")
    parser.add_argument("--config", type=Path, help="configuration of the watcher")
    parser.add_argument("--faults", nargs="+", choices=names, default=names)
    parser.add_argument("--services", nargs="+", choices=services, default=services)
    parser.add_argument("--quiet", type=float, default=120, help="seconds before the first fault")
    parser.add_argument("--rest", type=float, default=40, help="seconds after each fault")
    return parser.parse_args()


def main() -> None:
    """Run the scenario as the command line requires."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the services as any exit does
    failures = run(parse_options())
    print(f"\n{len(failures)} failures" if failures else "\neach fault gave one bundle")
    sys.exit(bool(failures))


if __name__ == "__main__":
    os.environ.pop("FUNCTRACE", None)
    main()
