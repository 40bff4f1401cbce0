"""functrace services, and the other verbs where requests go on in other processes."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli import mall, shop
from tests.cli.conftest import Run
from tests.tracefile.services import Service

SERVICES = """\
processes  in  failed  out  failed  service
        1   6       2    6       2  edge (gateway)
        1   6       2    6       2  gateway
        1   6       2   10       6  payments
        1   6       2               store
                                    mail.example (external)

calls  failed     p50     p99  from → to, route
    6       2   490µs   490µs  edge → gateway, POST /checkout
    6x, 2 failed: edge: POST /checkout → POST gateway/checkout
    6       2   390µs   390µs  gateway → payments, POST /pay
    6x, 2 failed: edge: POST /checkout → POST gateway/checkout → gateway: main.checkout
    → POST payments/pay
    6       2   180µs   180µs  payments → store, grpc store.Store/Get
    6x, 2 failed: edge: POST /checkout → POST gateway/checkout → gateway: main.checkout
    → POST payments/pay → payments: pay.handle → grpc store.Store/Get
    4       4  20.0µs  20.0µs  payments → mail.example, POST mail.example/send (4 not received)
    4x, 4 failed: edge: POST /checkout → POST gateway/checkout → gateway: main.checkout
    → POST payments/pay → payments: pay.handle → pay.notify → POST mail.example/send

18 of 24 inbound calls joined to their callers: 12 by ft, 6 by span id; 6 unknown
22 outbound calls attributed to inbound calls: 22 by context
the clock of mall/store.ftrace is 7.00s ± 350µs ahead of that of mall/edge.ftrace
the other side of 4 outbound calls was not recorded or is not known
"""

CALLERS = """\
store.Get: 6 calls, 2 failed (33.3%), total 600µs, p50 100µs, p99 100µs, 1 chain in 4 traces

#1  2 of 6 failed (33.3%)  p50 100µs  p99 100µs  total 600µs  self 600µs
    edge: POST /checkout → POST gateway/checkout → gateway: main.checkout → POST payments/pay
    → payments: pay.handle → grpc store.Store/Get → store: store.Get
    2x item is locked
    first failed: functrace replay mall/store.ftrace --track 1 --from 0.002170s
"""

GRAPH = """\
 share   total    self  calls  failed  function
100.0%  2.52ms   180µs      6       2  gateway: main.checkout
 92.9%  2.34ms  2.34ms      6       2    POST payments/pay
 73.8%  1.86ms   120µs      6       2      payments: POST /pay
 69.0%  1.74ms   500µs      6       2        pay.handle
 42.9%  1.08ms  1.08ms      6       2          grpc store.Store/Get
 28.6%   720µs   120µs      6       2            store: grpc store.Store/Get
 23.8%   600µs   600µs      6       2              store.Get
  6.3%   160µs  80.0µs      4       4          pay.notify
  3.2%  80.0µs  80.0µs      4       4            POST mail.example/send
"""

TRIAGE = """\
mall: 69 calls in 7.00ms on 5 goroutines
Failing
  POST mail.example/send failed 4x, 100.0% of 4 calls, 330µs to 4.33ms: 503 Service Unavailable
    edge: POST /checkout → POST gateway/checkout → gateway: main.checkout → POST payments/pay
    → payments: pay.handle → pay.notify → POST mail.example/send
    functrace callers --errors 'POST mail.example/send' mall
  store.Get failed 2x, 33.3% of 6 calls, 2.17ms to 5.17ms: item is locked
    edge: POST /checkout → POST gateway/checkout → gateway: main.checkout → POST payments/pay
    → payments: pay.handle → grpc store.Store/Get → store: store.Get
    functrace callers --errors store.Get mall
Not returned by the caller
  pay.notify failed 4x, pay.handle did not fail: mail: 503 Service Unavailable
    edge: POST /checkout → POST gateway/checkout → gateway: main.checkout → POST payments/pay
    → payments: pay.handle → pay.notify
    functrace replay mall/payments.ftrace --track 1 --from 0.000320s --until 0.000411s
"""

STORY = """\
request 00000000000000000000000000abc002; 10 calls in edge → gateway → payments → store; \
times of other processes ± 350µs
     +0ns     510µs  edge: POST /checkout 500 error: 500 Internal Server Error
  +10.0µs     490µs    edge: POST gateway/checkout 500 error: 500 Internal Server Error
  +30.0µs     440µs      gateway: POST /checkout 500 error: 500 Internal Server Error
  +40.0µs     420µs        gateway: main.checkout error: 500 Internal Server Error
  +60.0µs     390µs          gateway: POST payments/pay 500 error: 500 Internal Server Error
   +100µs     310µs            payments: POST /pay 500 error: 500 Internal Server Error
   +110µs     290µs              payments: pay.handle error: item is locked
   +120µs     180µs                payments: grpc store.Store/Get 13 error: INTERNAL
   +150µs     120µs                  store: grpc store.Store/Get 13 error: INTERNAL
   +160µs     100µs                    store: store.Get error: item is locked
"""


@pytest.fixture
def run(functrace: Run, module: Path) -> Run:
    mall.write(module / "mall")
    return functrace


def printed(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("services mall", SERVICES),
        ("callers --errors store.Get mall", CALLERS),
        ("graph main.checkout mall", GRAPH),
        ("triage mall", TRIAGE),
        ("replay --request 00000000000000000000000000abc002 mall", STORY),
        ("replay --request payments:21 mall", STORY),
        ("replay --request store:3 mall/store.ftrace mall", None),
    ],
)
def test_output(run: Run, line: str, expected: str | None) -> None:
    if expected is None:  # one process in two traces: which one is not known
        assert "2 calls in store" in printed(run(*line.split()))
    else:
        assert printed(run(*line.split())) == expected


def test_the_chain_of_the_issue(functrace: Run, module: Path) -> None:
    """Without what is in front of the gateway, the chain fits on a line."""
    folder = mall.write(module / "mall")
    (folder / "edge.ftrace").unlink()
    shown = functrace("callers", "--errors", "store.Get", "mall").stdout
    chain = "gateway: main.checkout → POST payments/pay → payments: pay.handle"
    assert f"    {chain} → grpc store.Store/Get" in shown.replace("\n    →", " →")


def test_services_as_json(run: Run) -> None:
    found = json.loads(printed(run("services", "mall", "--json")))
    assert [each["name"] for each in found["services"] if each["gateway"]] == ["edge"]
    assert [each["name"] for each in found["services"] if each["external"]] == ["mail.example"]
    edge = next(each for each in found["edges"] if each["to"] == "store")
    chains = edge.pop("chains")
    assert edge == {
        "from": "payments",
        "to": "store",
        "route": "grpc store.Store/Get",
        "calls": 6,
        "failed": 2,
        "unfinished": 0,
        "not_received": 0,
        "p50_ns": 180_000,
        "p99_ns": 180_000,
        "join": {"ft": 0, "span id": 6, "trace id": 0},
    }
    (chain,) = chains
    assert (chain["calls"], chain["failed"]) == (6, 2)
    steps = [(step["service"], step["function"], step["request"]) for step in chain["steps"]]
    assert steps[-3:] == [
        ("payments", "POST /pay", "inbound"),
        ("payments", "pay.handle", None),
        ("payments", "grpc store.Store/Get", "outbound"),
    ]
    assert found["joined_inbound_calls"] == {"ft": 12, "span id": 6}
    assert found["unknown_callers"] == 6
    assert found["attributed_outbound_calls"] == {"context": 22, "ancestry": 0, "unknown": 0}
    offsets = {each["trace"]: each["offset_ns"] for each in found["clocks"]}
    assert abs(offsets["mall/store.ftrace"] + mall.SKEW) < 1_000_000


def test_services_as_pictures(run: Run, module: Path) -> None:
    dot = run("services", "mall", "--to", "dot")
    assert dot.returncode == 0
    assert 's0 -> s1 [label="POST /checkout: 6x, 2 failed, p50 490µs, p99 490µs"' in dot.stdout
    done = run("services", "mall", "--to", "svg", "-o", "services.svg")
    assert done.returncode == 0
    assert "was not recorded" in done.stderr
    picture = ET.parse(module / "services.svg").getroot()
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "edge (gateway)" in texts
    assert "mail.example (external)" in texts
    boxes = list(picture.iter("{http://www.w3.org/2000/svg}rect"))[1:]
    places = {(box.get("x"), box.get("y")) for box in boxes}
    assert len(places) == len(boxes) == 5


def test_the_output_is_none_of_the_traces(run: Run) -> None:
    done = run("services", "mall", "--to", "svg", "-o", "mall/store.ftrace")
    assert done.returncode == 1
    assert "is one of the traces" in done.stderr


def test_requests_around_a_function(run: Run) -> None:
    shown = printed(run("replay", "--around", "pay.notify", "mall"))
    assert shown.count("request 0000") == 4
    assert "edge: POST /checkout 200" in shown
    named = printed(run("replay", "--around", "POST mail.example/send", "mall"))
    assert named == shown


def test_a_request_as_json_lines(run: Run) -> None:
    done = printed(run("replay", "--request", "gateway:1", "mall", "--json"))
    first, *calls = map(json.loads, done.splitlines())
    assert first["services"] == ["edge", "gateway", "payments", "store"]
    assert [call["level"] for call in calls] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 8, 9]
    assert all(call["start_ns"] >= 0 and call["duration_ns"] >= 0 for call in calls)


def test_selecting_a_request_by_its_name(run: Run) -> None:
    shown = printed(run("callers", "POST /pay", "mall"))
    assert "gateway: main.checkout → POST payments/pay" in shown
    assert shown.startswith("POST /pay: 6 calls")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("replay --request xyz mall", "no such request was recorded"),
        ("replay --request payments:99999999999999999999999 mall", "no such request"),
        ("replay --request payments:1 --tree mall", "--request and --tree cannot be combined"),
        ("replay --request payments:1 --track 1 mall", "--request and --track"),
        ("services mall --json --to dot", "--json and --to cannot be combined"),
        ("services mall -o x.svg", "-o requires --to"),
        ("services monday.ftrace", "no request was recorded"),
    ],
)
def test_errors(run: Run, module: Path, line: str, message: str) -> None:
    shop.monday(module)
    done = run(*line.split())
    assert done.returncode in (1, 2)
    assert message in done.stderr


def test_figures_say_which_callers_are_unknown(functrace: Run, module: Path) -> None:
    folder = mall.write(module / "mall")
    (folder / "payments.ftrace").unlink()
    note = "the callers of 6 inbound calls are not known; their chains begin there"
    for verb in ("services", "callers store.Get", "graph store.Get", "triage"):
        done = functrace(*verb.split(), "mall")
        assert done.returncode == 0
        assert note in done.stdout + done.stderr, verb


def test_requests_from_outside_are_no_loss(functrace: Run, module: Path) -> None:
    """What is in front of the gateway may be a browser or a proxy that makes the ids."""
    folder = mall.write(module / "mall")
    for name in ("edge", "gateway"):
        (folder / f"{name}.ftrace").unlink()
    done = functrace("callers", "store.Get", "mall")
    assert "callers of 6 inbound calls" in done.stderr  # the header names the gateway's process
    front = Service("front", 0xF1)
    track = front.track()
    track.begin_inbound("GET /", 10, 1, ids=("ab" * 16, "cd" * 8))
    track.begin_outbound("GET mail.example/", 20, 2, inbound=1, ids=("ab" * 16, "ef" * 8))
    track.end("GET mail.example/", 30, status=200)
    track.end("GET /", 40, status=200)
    front.write(module)
    done = functrace("services", "front.ftrace")
    assert done.returncode == 0
    assert "callers" not in done.stdout.replace("to their callers", "")


def test_nested_requests_are_one_chain(functrace: Run, tmp_path: Path) -> None:
    service = Service("shop", key=1)
    track = service.track()
    for level in range(1, 5_001):
        track.begin_outbound("POST shop/again", level, number=level)
    for level in range(5_000):
        track.end("POST shop/again", 10_000 + level, status=200)
    found = json.loads(printed(functrace("services", "--json", str(service.write(tmp_path)))))
    (edge,) = found["edges"]
    (chain,) = edge["chains"]
    assert (edge["calls"], chain["calls"], len(chain["steps"])) == (5_000, 5_000, 1)


def test_names_from_a_trace_are_escaped(functrace: Run, module: Path) -> None:
    """The texts of a trace are hostile in every output."""
    bad = "evil\x1b[31m\n<script>\"&'"
    one = Service(bad, 0xA)
    track = one.track()
    track.begin_inbound(f"GET /{bad}", 10, 1)
    track.begin_outbound(f"GET {bad}/x", 20, 2, inbound=1)
    track.end(f"GET {bad}/x", 30, status=200)
    track.end(f"GET /{bad}", 40, status=200)
    one.write(module, "evil")
    other = Service("other", 0xB)
    received = other.track()
    received.begin_inbound(f"GET /{bad}", 22, 1, ft=(0xA, 2))
    received.end(f"GET /{bad}", 23, status=200)
    other.write(module)
    traces = ("evil.ftrace", "other.ftrace")
    for verb in ("services", "triage", "replay --request other:1", "graph *", "callers *"):
        shown = functrace(*verb.split(), *traces)
        assert shown.returncode == 0, shown.stderr
        assert "\x1b" not in shown.stdout + shown.stderr
    picture = functrace("services", *traces, "--to", "svg")
    ET.fromstring(picture.stdout)
    assert "<script>" not in picture.stdout
    assert "\x1b" not in functrace("services", *traces, "--to", "dot").stdout
