"""Whether a tool knows on behalf of which request a service sends its own, and what that costs.

Three services, Go and Python, answer 10,000 concurrent requests with pools of workers. Each request
names itself in its query, which the services hand on; a tool says the same in the header
traceparent. What arrives is compared. Requests to ``/audit`` are sent by pooled workers without a
context: there nobody can know, and a tool that names a request may name the wrong one.

    python benchmarks/joins.py [TITLE...]

runs the tools with these words in their titles.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joins_tools import TOOLS, Copy, Tool, copy_sources, taking_spans

_REQUESTS = 10_000
_TURNS = 3
_LIBRARIES = ("starlette", "uvicorn", "httpx", "requests")
_GATEWAY, _PAYMENTS, _STORE = "gateway", "payments", "store"


@dataclass
class Arrivals:
    """Arrivals by path: with the right trace id, that of another request, or neither."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def read(self, path: Path) -> None:
        """Add the arrivals that a service has noted."""
        for line in path.read_text(encoding="utf-8").splitlines():
            where, truth, traceparent = line.split(" ", 2)
            found = traceparent.split("-")[1] if traceparent else "0"
            is_request = 0 < int(found, 16) <= _REQUESTS  # else an id that the tool has made
            sort = self.right if found == truth else self.wrong if is_request else self.unknown
            sort[where] += 1


@dataclass
class Outcome:
    """What came of a run: ``cpu_s`` is the CPU time of the three services after their start."""

    answered: int
    seconds: float
    cpu_s: float


@dataclass
class Built:
    """The services as a tool has built them, and all runs of them."""

    tool: Tool
    folder: Path
    python: Path
    edited_lines: int
    arrivals: Arrivals = field(default_factory=Arrivals)
    outcomes: list[Outcome] = field(default_factory=list)
    description: str = ""


def joins(tools: Sequence[Tool] = TOOLS) -> None:
    """Print a table of what arrived for each tool, and what it costs."""
    print(
        f"requests joined right and wrong, {_REQUESTS:,} concurrent requests over three services,"
        f" {_TURNS} times"
    )
    with tempfile.TemporaryDirectory() as folder:
        built = []
        for number, tool in enumerate(tools):
            if tool.missing:
                print(f"  {tool.title}\n    skipped, PATH has no {tool.missing}")
                continue
            try:
                built.append(_build(tool, Path(folder) / str(number)))
            except subprocess.CalledProcessError as error:
                print(f"  {tool.title}\n    skipped, it cannot be built here: {_reason(error)}")
        for _ in range(_TURNS):
            for each in built:
                each.outcomes.append(_run(each))
        for each in built:
            _print(each, built[0])


def _reason(error: subprocess.CalledProcessError) -> str:
    lines = (error.stderr or b"").decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else str(error)


def _build(tool: Tool, folder: Path) -> Built:
    folder.mkdir()
    source: Copy = copy_sources(tool, folder / "source")
    python = _virtual_environment(folder.parent, tool.libraries)
    built = Built(tool, folder, python, source.edited_lines)
    commands = {"load": ["go"], _GATEWAY: tool.go, _STORE: tool.go}
    for name, command in commands.items():
        build = [*command, "build", "-o", str(folder / name), f"./{name}"]
        subprocess.run(build, cwd=source.folder, check=True, capture_output=True)
    return built


def _run(built: Built) -> Outcome:
    recordings = built.folder / "recordings"
    recordings.mkdir()
    addresses = {name: f"127.0.0.1:{_free_port()}" for name in (_GATEWAY, _PAYMENTS, _STORE)}
    running: list[subprocess.Popen[bytes]] = []
    with taking_spans() as url:
        try:
            for name, command in _commands(built, addresses).items():
                environment = _environment(built, name, addresses[_STORE], url)
                running.append(
                    subprocess.Popen(
                        command,
                        cwd=built.folder / "source",
                        env=environment,
                        stdout=subprocess.DEVNULL,
                    )
                )
                _wait_for(addresses[name])
            started = sum(map(_cpu_time, running))
            load = [str(built.folder / "load"), f"http://{addresses[_GATEWAY]}", str(_REQUESTS)]
            done = subprocess.run(load, stdout=subprocess.PIPE, text=True, check=True)
        finally:
            for process in reversed(running):
                os.kill(process.pid, signal.SIGTERM)
            used = sum(map(_cpu_time_at_end, running))
    for name in addresses:
        built.arrivals.read(built.folder / f"{name}.arrivals")
    built.description = built.tool.describe(recordings)
    shutil.rmtree(recordings)
    answered, seconds = done.stdout.split()
    return Outcome(int(answered), float(seconds), used - started)


def _virtual_environment(folder: Path, libraries: Sequence[str]) -> Path:
    """Return the folder of programs of the environment that has these libraries."""
    environment = folder / "-".join(["venv", *(Path(each).name for each in libraries[:1])])
    programs = environment / "bin"
    if environment.exists():
        return programs
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = [programs / "python", "-m", "pip", "install", "-q", *_LIBRARIES, *libraries]
    subprocess.run(install, check=True, capture_output=True)
    return programs


def _commands(built: Built, addresses: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the command of each service, in the order in which they start."""
    folder = built.folder
    urls = {name: f"http://{address}" for name, address in addresses.items()}
    arrivals = {name: str(folder / f"{name}.arrivals") for name in addresses}
    host, port = addresses[_PAYMENTS].split(":")
    uvicorn = ["-m", "uvicorn", "payments:app", "--host", host, "--port", port]
    uvicorn += ["--log-level", "warning", "--backlog", "4096"]
    return {
        _STORE: [str(folder / _STORE), addresses[_STORE], arrivals[_STORE]],
        _PAYMENTS: [*built.tool.python(built.python), *uvicorn],
        _GATEWAY: [
            str(folder / _GATEWAY), addresses[_GATEWAY], urls[_PAYMENTS], urls[_STORE],
            arrivals[_GATEWAY],
        ],
    }  # fmt: skip


def _environment(built: Built, name: str, store: str, spans: str) -> dict[str, str]:
    return {
        **os.environ,
        **built.tool.environment(spans),
        "STORE": f"http://{store}",
        "ARRIVALS": str(built.folder / f"{_PAYMENTS}.arrivals"),
        "FUNCTRACE_SERVICE": name,
        "FUNCTRACE_OUT": str(built.folder / "recordings"),
        "OTEL_SERVICE_NAME": name,
        "DD_SERVICE": name,
    }


def _cpu_time(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU time that a running process has used, in seconds."""
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def _print(built: Built, base: Built) -> None:
    """Print the runs of a tool, and the CPU time that it adds to those of ``base``."""
    answered = sum(each.answered for each in built.outcomes)
    seconds = statistics.median(each.seconds for each in built.outcomes)
    pairs = zip(built.outcomes, base.outcomes, strict=True)
    added = statistics.median(run.cpu_s - without.cpu_s for run, without in pairs)
    print(f"  {built.tool.title}")
    print(
        f"    {answered:,} answered, {seconds:.1f} s a run, {added / _REQUESTS * 1e6:+,.0f} µs of"
        f" CPU time a checkout, {built.edited_lines} lines edited"
    )
    print("    path          right     wrong   unknown")
    arrivals = built.arrivals
    for path in sorted(arrivals.right | arrivals.wrong | arrivals.unknown):
        row = (arrivals.right[path], arrivals.wrong[path], arrivals.unknown[path])
        print(f"    {path:10}" + "".join(f"{number:10,}" for number in row))
    print(built.description, end="")


def _select(words: Sequence[str]) -> list[Tool]:
    """Return the tools with one of these words in the title, after the run without a tool."""
    return [TOOLS[0], *(tool for tool in TOOLS[1:] if any(word in tool.title for word in words))]


if __name__ == "__main__":
    joins(_select(sys.argv[1:] or [""]))
