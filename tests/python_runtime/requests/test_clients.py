"""Outbound calls of real clients."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runtime
from tests.python_runtime.requests.conftest import (
    SPAN_ID,
    TRACE_ID,
    TRACEPARENT,
    Peer,
    run_client,
)

CLIENTS = {
    "http.client": """
        import http.client
        def get(url, headers):
            host, path = url.removeprefix("http://").split("/", 1)
            connection = http.client.HTTPConnection(host)
            connection.request("GET", "/" + path, headers=headers)
            response = connection.getresponse()
            response.read()
            connection.close()
    """,
    "urllib": """
        import urllib.request, urllib.error
        def get(url, headers):
            request = urllib.request.Request(url, headers=headers)
            try:
                urllib.request.build_opener().open(request).read()
            except urllib.error.HTTPError as error:
                error.close()
    """,
    "urllib3": """
        import urllib3
        pool = urllib3.PoolManager()
        def get(url, headers):
            pool.request("GET", url, headers=headers, retries=False)
    """,
    "requests": """
        import requests
        session = requests.Session()
        def get(url, headers):
            session.get(url, headers=headers)
    """,
    "httpx": """
        import httpx
        client = httpx.Client()
        def get(url, headers):
            client.get(url, headers=headers)
    """,
    "httpx-async": """
        import asyncio, httpx
        def get(url, headers):
            async def fetch():
                async with httpx.AsyncClient() as client:
                    await client.get(url, headers=headers)
            asyncio.run(fetch())
    """,
}

CLIENTS["aiohttp"] = """
        import asyncio, aiohttp
        def get(url, headers):
            async def fetch():
                async with aiohttp.ClientSession() as session:
                    async with session.get(url, headers=headers) as response:
                        assert "tracestate" not in response.request_info.headers
            asyncio.run(fetch())
    """

_BEGIN_TRACING = "trace(lambda: 1)()\n"
_INBOUND = f"""
tracker = functrace._get_control()._requests._get_tracker()
inbound = tracker.begin_inbound(("POST", "/pay"), [
    ("traceparent", "{TRACEPARENT}"), ("tracestate", "a=1,ft=0123456789abcdef:7"),
    ("b3", "{TRACE_ID}-{SPAN_ID}-1")])
"""


_INBOUND_WITHOUT_IDS = """
tracker = functrace._get_control()._requests._get_tracker()
inbound = tracker.begin_inbound(("POST", "/pay"), [])
"""


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def _program(client: str, url: str, headers: str = "{}", before: str = "") -> str:
    call = f"get({url!r}, {headers})\n"
    return textwrap.dedent(CLIENTS[client]) + _BEGIN_TRACING + before + call


def _requests(trace: decoder.Trace) -> list[str]:
    """The events of the requests of all tracks."""
    events = [event for track in trace.tracks for event in track.events]
    return [event for event in events if " lambda" not in event and "<lambda>" not in event]


def test_call(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    (trace,) = run_client(runtime, tmp_path, _program(client, f"{peer.url}/users/17?q=1"))
    assert [event for event in _requests(trace) if event not in ("wait", "run")] == [
        "> GET 127.0.0.1/users/{id}",
        "? 1 out http of=0",
        "= 200",
        "< GET 127.0.0.1/users/{id}",
    ]


def test_failed_response(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    peer.answer("503 Whatever")
    (trace,) = run_client(runtime, tmp_path, _program(client, f"{peer.url}/"))
    assert "= 503" in _requests(trace)
    assert "error 503 Service Unavailable" in _requests(trace)


def test_refused(runtime: Runtime, client: str, closed_port: int, tmp_path: Path) -> None:
    program = _program(client, f"http://127.0.0.1:{closed_port}/pay")
    head, _, call = program.rpartition("\nget(")
    program = (
        f"{head}\ntry:\n    get({call}except Exception as error:\n    pass\nelse:\n    raise 1\n"
    )
    (trace,) = run_client(runtime, tmp_path, program)
    entry, request, error, leave = _requests(trace)
    assert (entry, request) == ("> GET 127.0.0.1/pay", "? 1 out http of=0")
    assert re.match(r"error .*(refused|attempts failed|Connect)", error)
    assert leave == "< GET 127.0.0.1/pay"


def test_observe_changes_no_byte(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    program = _program(client, f"{peer.url}/users/17", "{'X-Own': '1'}")
    run_client(runtime, tmp_path / "off", program, FUNCTRACE="off")
    run_client(runtime, tmp_path / "on", program)
    inside = _program(client, f"{peer.url}/users/17", "{'X-Own': '1'}", _INBOUND)
    (trace,) = run_client(runtime, tmp_path / "inside", inside)
    assert "? 2 out http of=1" in _requests(trace)
    assert peer.requests == peer.requests[:1] * 3


def test_forward(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    program = _program(client, f"{peer.url}/", before=_INBOUND)
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="forward")
    headers = peer.headers()
    assert headers["traceparent"] == TRACEPARENT
    assert headers["tracestate"] == f"ft={trace.process['process_key']}:2,a=1"
    assert headers["b3"] == f"{TRACE_ID}-{SPAN_ID}-1"
    assert f"? 2 out http of=1 ids={TRACE_ID}-{SPAN_ID} sampled" in _requests(trace)


def test_forward_without_inbound_call(
    runtime: Runtime, client: str, peer: Peer, tmp_path: Path
) -> None:
    program = _program(client, f"{peer.url}/")
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="forward")
    assert peer.headers()["tracestate"] == f"ft={trace.process['process_key']}:1"
    assert "traceparent" not in peer.headers()


def test_span(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    program = _program(client, f"{peer.url}/", before=_INBOUND)
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="span")
    version, trace_id, span_id, flags = peer.headers()["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE_ID, "01")
    assert span_id != SPAN_ID
    assert peer.headers()["b3"] == f"{TRACE_ID}-{span_id}-1-{SPAN_ID}"
    assert f"? 2 out http of=1 ids={TRACE_ID}-{span_id} sampled own" in _requests(trace)


def test_span_of_an_inbound_call_without_ids(
    runtime: Runtime, client: str, peer: Peer, tmp_path: Path
) -> None:
    """The trace begins with the inbound call, and the outbound call is in it."""
    program = _program(client, f"{peer.url}/", before=_INBOUND_WITHOUT_IDS)
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="span")
    _, trace_id, span_id, flags = peer.headers()["traceparent"].split("-")
    assert flags == "01"
    found = "\n".join(_requests(trace))
    received = re.search(
        rf"^\? 1 in http ids={trace_id}-(\w{{16}}) sampled own$", found, re.MULTILINE
    )
    assert received
    assert received[1] != span_id
    assert f"? 2 out http of=1 ids={trace_id}-{span_id} sampled own" in found


@pytest.mark.parametrize("mode", ["forward", "span"])
def test_header_of_the_program(
    runtime: Runtime, client: str, peer: Peer, tmp_path: Path, mode: str
) -> None:
    own = f"00-{'1' * 32}-{'2' * 16}-00"
    program = _program(client, f"{peer.url}/", f"{{'TraceParent': {own!r}}}", _INBOUND)
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE=mode)
    assert peer.headers()["traceparent"] == own
    assert not {"tracestate", "b3"} & set(peer.headers())
    assert f"? 2 out http of=1 ids={'1' * 32}-{'2' * 16}" in _requests(trace)


def test_overlapping_calls(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
        import http.client
        @trace
        def inside(): pass
        inside()
        one, two = (http.client.HTTPConnection("127.0.0.1", PORT) for _ in range(2))
        one.request("GET", "/one")
        two.request("GET", "/two")
        one.getresponse()
        inside()
        two.getresponse()
    """.replace("PORT", str(peer.port))
    (trace,) = run_client(runtime, tmp_path, program)
    assert [track.calls for track in trace.tracks] == [
        (
            ">inside <inside >GET 127.0.0.1/one ?1 out http of=0 =200 <GET 127.0.0.1/one"
            " >inside <inside"
        ),
        ">GET 127.0.0.1/two ?2 out http of=0 =200 <GET 127.0.0.1/two",
    ]


@pytest.mark.parametrize("end", ["connection.close()", "del connection"])
def test_connection_without_a_response(
    runtime: Runtime, peer: Peer, tmp_path: Path, end: str
) -> None:
    program = f"""
        import http.client
        @trace
        def after(): pass
        after()
        connection = http.client.HTTPConnection("127.0.0.1", {peer.port})
        connection.request("GET", "/one")
        {end}
        after()
    """
    (trace,) = run_client(runtime, tmp_path, program)
    assert trace.tracks[0].calls == (
        ">after <after >GET 127.0.0.1/one ?1 out http of=0 <GET 127.0.0.1/one >after <after"
    )


def test_fork_while_a_response_is_awaited(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    """The parent's call is none of the child's, whose calls have the same numbers."""
    program = f"""
        import http.client, os
        @trace
        def inside(): pass
        inside()
        connection, other = (http.client.HTTPConnection("127.0.0.1", {peer.port}) for _ in "12")
        connection.request("GET", "/parent")
        if os.fork() == 0:
            other.request("GET", "/child")
            connection.close()
            inside()
            other.getresponse()
            os._exit(0)
        os.wait()
        connection.getresponse()
    """
    traces = run_client(runtime, tmp_path, program)
    calls = sorted("".join(track.calls for track in trace.tracks) for trace in traces)
    # The child's calls are inside the one that its parent had begun.
    assert ">GET 127.0.0.1/parent ?1 out http of=0 =200 <GET 127.0.0.1/parent" in calls[0]
    assert ">GET 127.0.0.1/child ?1 out http of=0" in calls[1]
    assert calls[1].index(">inside") < calls[1].index("=200 <GET 127.0.0.1/child")


def test_stopped(runtime: Runtime, client: str, peer: Peer, tmp_path: Path) -> None:
    """While recording is stopped, nothing is recorded and no header is added."""
    stop = textwrap.dedent(_INBOUND) + "functrace.stop()\n"
    program = _program(client, f"{peer.url}/one", before=stop)
    program += f"functrace.start()\nget('{peer.url}/two', {{}})\ntracker.end_inbound(inbound)\n"
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="forward")
    assert "traceparent" not in peer.headers(0)
    assert peer.headers(1)["traceparent"] == TRACEPARENT
    names = [event for event in _requests(trace) if event.startswith("> GET")]
    assert names == ["> GET 127.0.0.1/two"]


def test_off(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = """
        import sys
        before = list(sys.meta_path)
        import http.client
        trace(lambda: 1)()
        import urllib.request
        urllib.request.build_opener().open(URL).read()
        assert sys.meta_path == before
        assert not hasattr(http.client.HTTPConnection.getresponse, "__wrapped__")
        assert "functrace.runtime.requests" not in sys.modules
    """.replace("URL", repr(f"{peer.url}/"))
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_PROPAGATE="off")
    assert len(trace.tracks[0].events) == 2


def test_full_urls(runtime: Runtime, peer: Peer, tmp_path: Path) -> None:
    program = _program("requests", f"{peer.url}/users/17?q=1&r=%20")
    (trace,) = run_client(runtime, tmp_path, program, FUNCTRACE_REQUEST_URLS="full")
    assert "> GET 127.0.0.1/users/17?q=1&r=%20" in _requests(trace)
