"""Readers of export formats that use no code of functrace: figures of each function."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from tests.support import toolchains

_SVG = "{http://www.w3.org/2000/svg}"
SUSPENDED = "(suspended)"


@dataclass
class Told:
    """Of a function; None: the format does not contain it."""

    calls: int | None = None
    own: int | None = None
    failed: int | None = None

    def add(self, **more: int) -> None:
        for name, value in more.items():
            setattr(self, name, (getattr(self, name) or 0) + value)


Figures = dict[str, Told]


def _none() -> Figures:
    return defaultdict(Told)


class Stacks:
    """Begins and ends of calls, by track, summed up by function."""

    def __init__(self, *, fails: bool = True) -> None:
        self.found = _none()
        self._fails = fails
        self._open: dict[Any, list[list[Any]]] = defaultdict(list)

    def enter(self, track: Any, name: str, time: int) -> None:
        self._open[track].append([name, time, 0])

    def leave(self, track: Any, time: int, *, failed: bool = False) -> str:
        name, start, inside = self._open[track].pop()
        assert time >= start
        if self._open[track]:
            self._open[track][-1][2] += time - start
        if name != SUSPENDED:
            self.found[name].add(calls=1, own=time - start - inside)
            if self._fails:
                self.found[name].add(failed=int(failed))
        return str(name)

    def figures(self) -> Figures:
        assert not any(self._open.values())
        return self.found


def jsonl(path: Path) -> Figures:
    found = _none()
    calls: list[dict[str, Any]] = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["type"] == "trace":
            calls = []
        if row["type"] != "call":
            continue
        calls.append(row)
        ran = row["duration_ns"] - row.get("suspended_ns", 0)
        found[row["function"]].add(calls=1, own=ran, failed=int("error" in row or "panic" in row))
        if row["parent"] is not None:
            found[calls[row["parent"]]["function"]].add(own=-ran)
    return found


def document(path: Path) -> Figures:
    whole = json.loads(path.read_bytes())
    found = _none()
    for row in whole["chains"]:
        if not row["calls"]:  # it is only around others
            continue
        name = row["function"]
        assert whole["functions"][row["function_id"]]["function"] == name
        found[name].add(calls=row["calls"], own=row["self_ns"], failed=row["failed"])
    sums = {f["function"]: f["calls"] for f in whole["functions"] if f["calls"]}
    assert {name: row.calls for name, row in found.items()} == sums
    return found


def perfetto(path: Path) -> Figures:
    stacks = Stacks()
    for track, event, time, interned in packets(path):
        if event.type == event.TYPE_SLICE_BEGIN:
            name = interned["event_names", event.name_iid]
            wait = interned["event_categories", event.category_iids[0]] == "wait"
            stacks.enter(track, SUSPENDED if wait else name, time)
        elif event.type == event.TYPE_SLICE_END:
            names = {
                interned["debug_annotation_names", each.name_iid]
                for each in event.debug_annotations
            }
            stacks.leave(track, time, failed=bool(names & {"error", "panic"}))
    return stacks.figures()


def packets(path: Path) -> Iterator[tuple[int, Any, int, dict[tuple[str, int], str]]]:
    """Each event with its track, time and the names that its numbers stand for."""
    trace = pb.Trace()
    trace.ParseFromString(path.read_bytes())
    interned: dict[int, dict[tuple[str, int], str]] = {}
    for packet in trace.packet:
        sequence = packet.trusted_packet_sequence_id
        if packet.sequence_flags & packet.SEQ_INCREMENTAL_STATE_CLEARED:
            interned[sequence] = {}
        for field, values in packet.interned_data.ListFields():
            for value in values:
                text = value.str if hasattr(value, "str") else None
                text = value.name if hasattr(value, "name") else text or value.SerializeToString()
                interned[sequence][field.name, value.iid] = (
                    text.decode("utf-8", "replace") if isinstance(text, bytes) else text
                )
        if packet.HasField("track_event"):
            known = interned.get(sequence, {})
            yield packet.track_event.track_uuid, packet.track_event, packet.timestamp, known


def chrome(path: Path) -> Figures:
    stacks = Stacks()
    for event in json.loads(path.read_bytes())["traceEvents"]:
        if event["ph"] not in "BE":
            continue
        track, time = (event["pid"], event["tid"]), round(event["ts"] * 1000)
        if event["ph"] == "B":
            stacks.enter(track, SUSPENDED if event["cat"] == "wait" else event["name"], time)
        else:
            stacks.leave(
                track, time, failed=bool(event.get("args", {}).keys() & {"error", "panic"})
            )
    return stacks.figures()


def speedscope(path: Path) -> Figures:
    whole = json.loads(path.read_bytes())
    frames = [frame["name"] for frame in whole["shared"]["frames"]]
    stacks = Stacks(fails=False)
    for number, profile in enumerate(whole["profiles"]):
        for event in profile["events"]:
            assert profile["startValue"] <= event["at"] <= profile["endValue"]
            if event["type"] == "O":
                stacks.enter(number, frames[event["frame"]], event["at"])
            else:
                assert stacks.leave(number, event["at"]) == frames[event["frame"]]
    return stacks.figures()


def firefox(path: Path) -> Figures:
    whole = json.loads(path.read_bytes())
    shared = whole["shared"]
    names = [shared["stringArray"][name] for name in shared["funcTable"]["name"]]
    found = _none()
    for thread in whole["threads"]:
        samples, markers = thread["samples"], thread["markers"]
        assert {len(samples[name]) for name in ("stack", "time", "weight")} == {samples["length"]}
        assert samples["time"] == sorted(samples["time"])
        for stack, weight in zip(samples["stack"], samples["weight"], strict=True):
            frame = shared["stackTable"]["frame"][stack]
            name = names[shared["frameTable"]["func"][frame]]
            if name != SUSPENDED:
                found[name].add(own=round(weight * 1e6))
        for name in markers["name"]:
            found[shared["stringArray"][name]].add(failed=1)
    return found


def folded(path: Path) -> Figures:
    found = _none()
    for line in path.read_text("utf-8").splitlines():
        frames, _, value = line.rpartition(" ")
        found[frames.split(";")[-1]].add(own=int(value))
    return found


def flamegraph(path: Path) -> Figures:
    root = ElementTree.parse(path).getroot()
    _xmllint(path)
    (data,) = (each for each in root.iter(f"{_SVG}script") if each.get("id") == "chains")
    whole = json.loads(data.text or "")
    found = _none()
    columns = (whole[name] for name in ("name", "calls", "self", "failed"))
    for name, calls, own, failed in zip(*columns, strict=True):
        if calls:
            found[whole["names"][name]].add(calls=calls, own=own, failed=failed)
    shown = [frame.findtext(f"{_SVG}title") for frame in root.iter(f"{_SVG}g")]
    assert not found or any(title and ", total " in title for title in shown)
    return found


def pprof(path: Path) -> Figures:
    raw = pprof_says("-raw", str(path))
    _, _, rest = raw.partition("Samples:\n")
    samples, _, locations = rest.partition("Locations\n")
    assert samples.startswith("calls/count time/nanoseconds[dflt] errors/count\n")
    names = dict(re.findall(r"^ +(\d+): 0x0 M=1 (.*) \S*:\d+:\d+ s=\d+$", locations, re.M))
    found = _none()
    pattern = r"^ +(\d+) +(\d+) +(\d+): (\d+)"
    for calls, own, failed, leaf in re.findall(pattern, samples, re.M):
        found[names[leaf]].add(calls=int(calls), own=int(own), failed=int(failed))
    return found


def pprof_says(*arguments: str) -> str:
    go = toolchains.usual()
    if go is None:
        pytest.skip("no Go toolchain to read a profile with: run make test")
    run = go.run("tool", "pprof", *arguments, cwd=Path.cwd())
    assert run.returncode == 0, run.stderr
    return run.stdout


def dot(path: Path) -> Figures:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("graphviz, which reads call graphs, is not installed")
    run = subprocess.run([program, "-Tjson0", path], capture_output=True, text=True, check=True)
    boxes = [box["label"].split("\\n") for box in json.loads(run.stdout).get("objects", [])]
    return _boxes(boxes)


def svg(path: Path) -> Figures:
    """The picture's texts, box by box."""
    _xmllint(path)
    root = ElementTree.parse(path).getroot()
    nodes = (group for group in root.iter(f"{_SVG}g") if group.get("class") == "node")
    return _boxes([[text.text or "" for text in node.iter(f"{_SVG}text")] for node in nodes])


def _boxes(boxes: list[list[str]]) -> Figures:
    """A box says how often, and how many failed; times are rounded."""
    found = _none()
    for name, calls, _times, *failed in boxes:
        found[name].add(calls=_number(calls), failed=_number(failed[0]) if failed else 0)
    return found


def _number(text: str) -> int:
    return int(text.partition(" ")[0].replace(",", ""))


def _xmllint(path: Path) -> None:
    program = shutil.which("xmllint")
    if program:
        run = subprocess.run(
            [program, "--noout", "--nonet", path], capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, "")


def parquet(path: Path) -> Figures:
    rows = duckdb.sql(
        "SELECT function, count(*), sum(self_ns), count(error) + count(panic)"
        f" FROM '{path}/calls/*.parquet' GROUP BY function"
    ).fetchall()
    return {name: Told(calls, int(own), failed) for name, calls, own, failed in rows}


def zipkin(path: Path) -> Figures:
    found = _none()
    for span in json.loads(path.read_bytes()):
        tags = span["tags"]
        name = tags.get("code.function.name") or tags["functrace.request"]
        found[name].add(calls=1, failed=int("error" in tags))
    return found


READERS = {
    "jsonl": jsonl,
    "json": document,
    "perfetto": perfetto,
    "chrome": chrome,
    "speedscope": speedscope,
    "firefox": firefox,
    "folded": folded,
    "flamegraph": flamegraph,
    "pprof": pprof,
    "dot": dot,
    "svg": svg,
    "parquet": parquet,
    "zipkin": zipkin,
}
