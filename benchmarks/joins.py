"""Whether functrace knows on behalf of which request a service sends its own.

Three services, Go and Python, answer 10,000 concurrent requests with pools of workers. Each request
names itself in its query, which the services hand on; a tool says the same in the header
traceparent. What arrives is compared. Requests to ``/audit`` are sent by pooled workers without a
context: there nobody can know, and a tool that names a request may name the wrong one.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SOURCE = Path(__file__).with_name("joins")
_ROOT = Path(__file__).parents[1]
_REQUESTS = 10_000
_LIBRARIES = ("starlette", "uvicorn", "httpx", "requests")
_GATEWAY, _PAYMENTS, _STORE = "gateway", "payments", "store"


@dataclass(frozen=True)
class Tool:
    """How the services are built and started.

    Attributes:
        go: command that builds the Go services, before ``build -o``.
        python: command of the interpreter, given its path.
        environment: variables of the services.
        libraries: what the tool needs in Python.
        describe: returns what the tool says of its recordings in a folder.
    """

    title: str
    go: Sequence[str]
    python: Callable[[str], Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    libraries: Sequence[str] = ()
    describe: Callable[[Path], str] = lambda _: ""


@dataclass
class Arrivals:
    """Arrivals of requests by path: with the right trace id, a wrong one, or none."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    none: Counter[str] = field(default_factory=Counter)

    def read(self, path: Path) -> None:
        """Add the arrivals that a service has noted."""
        for line in path.read_text(encoding="utf-8").splitlines():
            where, truth, traceparent = line.split(" ", 2)
            found = traceparent.split("-")[1] if traceparent else ""
            sort = self.right if found == truth else self.wrong if found else self.none
            sort[where] += 1


def joins(tools: Sequence[Tool] | None = None) -> None:
    """Print a table of what arrived, without functrace and with it."""
    print(f"requests joined right and wrong, {_REQUESTS:,} concurrent requests over three services")
    for tool in tools or TOOLS:
        print(f"  {tool.title}")
        with tempfile.TemporaryDirectory() as folder:
            _print(_run(tool, Path(folder)))
            print(tool.describe(Path(folder)), end="")


@dataclass
class Outcome:
    """What came of a run: ``cpu_s`` is the CPU time of the three services."""

    answered: int
    seconds: float
    cpu_s: float
    arrivals: Arrivals


def _run(tool: Tool, folder: Path) -> Outcome:
    python = _virtual_environment(folder, tool.libraries)
    subprocess.run(["go", "build", "-o", folder / "load", "./load"], cwd=_SOURCE, check=True)
    for name in (_GATEWAY, _STORE):
        command = [*tool.go, "build", "-o", str(folder / name), f"./{name}"]
        subprocess.run(command, cwd=_SOURCE, check=True, stdout=subprocess.DEVNULL)
    addresses = {name: f"127.0.0.1:{_free_port()}" for name in (_GATEWAY, _PAYMENTS, _STORE)}
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in _commands(tool, folder, python, addresses).items():
            environment = _environment(tool, folder, name, addresses[_STORE])
            running.append(
                subprocess.Popen(command, cwd=_SOURCE, env=environment, stdout=subprocess.DEVNULL)
            )
            _wait_for(addresses[name])
        load = [str(folder / "load"), f"http://{addresses[_GATEWAY]}", str(_REQUESTS)]
        done = subprocess.run(load, stdout=subprocess.PIPE, text=True, check=True)
    finally:
        for process in reversed(running):
            os.kill(process.pid, signal.SIGTERM)
        used = sum(_cpu_time_at_end(process) for process in running)
    found = Arrivals()
    for name in addresses:
        found.read(folder / f"{name}.arrivals")
    answered, seconds = done.stdout.split()
    return Outcome(int(answered), float(seconds), used, found)


def _virtual_environment(folder: Path, libraries: Sequence[str]) -> str:
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv" / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", *_LIBRARIES, *libraries]
    subprocess.run(install, check=True)
    return python


def _commands(
    tool: Tool, folder: Path, python: str, addresses: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the command of each service, in the order in which they start."""
    urls = {name: f"http://{address}" for name, address in addresses.items()}
    arrivals = {name: str(folder / f"{name}.arrivals") for name in addresses}
    host, port = addresses[_PAYMENTS].split(":")
    uvicorn = ["-m", "uvicorn", "payments:app", "--host", host, "--port", port]
    return {
        _STORE: [str(folder / _STORE), addresses[_STORE], arrivals[_STORE]],
        _PAYMENTS: [*tool.python(python), *uvicorn, "--log-level", "warning", "--backlog", "4096"],
        _GATEWAY: [
            str(folder / _GATEWAY), addresses[_GATEWAY], urls[_PAYMENTS], urls[_STORE],
            arrivals[_GATEWAY],
        ],
    }  # fmt: skip


def _environment(tool: Tool, folder: Path, name: str, store: str) -> dict[str, str]:
    return {
        **os.environ,
        **tool.environment,
        "STORE": f"http://{store}",
        "ARRIVALS": str(folder / f"{_PAYMENTS}.arrivals"),
        "FUNCTRACE_SERVICE": name,
        "FUNCTRACE_OUT": str(folder),
    }


def _cpu_time_at_end(process: subprocess.Popen[bytes]) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(address: str) -> None:
    host, port = address.split(":")
    for _ in range(600):
        with socket.socket() as client:
            if client.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {address}")


def _print(outcome: Outcome) -> None:
    arrivals = outcome.arrivals
    print(
        f"    {outcome.answered:,} answered in {outcome.seconds:.1f} s,"
        f" {outcome.cpu_s:.1f} s of CPU time of the services"
    )
    print("    path          right     wrong      none")
    for path in sorted(arrivals.right | arrivals.wrong | arrivals.none):
        row = (arrivals.right[path], arrivals.wrong[path], arrivals.none[path])
        print(f"    {path:10}" + "".join(f"{number:10,}" for number in row))


def _describe_services(folder: Path) -> str:
    """Return how many calls functrace services has joined, by method."""
    command = [*_FUNCTRACE, "services", "--json", str(folder)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    joined, attributed = found["joined_inbound_calls"], found["attributed_outbound_calls"]
    return (
        f"    functrace services: {sum(joined.values()):,} of {found['inbound_calls']:,} inbound"
        f" calls joined ({joined}), {found['outbound_calls']:,} outbound calls ({attributed})\n"
    )


_FUNCTRACE = (sys.executable, "-m", "functrace")
TOOLS = [
    Tool("no tool", ["go"], lambda python: [python]),
    Tool(
        "functrace, forward",
        [*_FUNCTRACE, "go", "-q"],
        lambda python: [python, "-m", "functrace", "run"],
        {"FUNCTRACE": "record", "FUNCTRACE_PROPAGATE": "forward"},
        [str(_ROOT)],
        describe=_describe_services,
    ),
]


if __name__ == "__main__":
    joins()
