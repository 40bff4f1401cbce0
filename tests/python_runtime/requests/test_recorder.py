"""Requests in a recorder, in C and in Python: begun and ended by hand."""

from __future__ import annotations

import re

import pytest

from tests.python_runtime.conftest import Runner

_HEAD = """
    recorder = functrace._get_control()._recorder
    IN, OUT = 1 | 1 << 2, 2 | 1 << 2
    pay = recorder.add_request_function("POST /pay", 1, 1)
    notify = recorder.add_request_function("POST notify/send", 2, 1)
    route = recorder.add_request_function("POST /{verb}", 1, 1)

    @trace
    def work(): pass
"""


_IDS = "0102030405060708090a0b0c0d0e0f10-1112131415161718"


def test_calls(run: Runner) -> None:
    program = """
    ids = bytes(range(1, 25))
    ft = struct.pack("<QQ", 0x0123456789abcdef, 26)
    @trace
    def main():
        one = recorder.begin_request(pay, IN | 1 << 8 | 1 << 9 | 1 << 10, 0, ids, ft)
        work()
        two = recorder.begin_request(notify, OUT | 1 << 8 | 1 << 11, one, ids, b"")
        assert (one, two, recorder.open_inbound()) == (1, 2, 1)
        recorder.end_request(two, 503, 0, "503 Service Unavailable")
        recorder.end_request(one, 200, route, None)
        assert recorder.open_inbound() == 0
    main()
    """
    trace = run("    import struct\n" + _HEAD + program).trace
    assert trace.tracks[0].events == [
        "> main",
        "> POST /pay",
        f"? 1 in http ids={_IDS} sampled ft=0123456789abcdef:26",
        "> work",
        "< work",
        "> POST notify/send",
        f"? 2 out http of=1 ids={_IDS} own",
        "= 503",
        "error 503 Service Unavailable",
        "< POST notify/send",
        "= 200 POST /{verb}",
        "< POST /pay",
        "< main",
    ]


def test_failures(run: Runner) -> None:
    program = """
    call = recorder.add_request_function("grpc store.Store/Get", 2, 2)
    grpc = 2 | 2 << 2
    for status, failure in ((-1, OSError(111, "Connection refused")), (1 << 16 | 5, "x" * 300),
                            (1 << 16, None), (-1, StopIteration()), (404, "404 Näh\\udc80")):
        recorder.end_request(recorder.begin_request(call, grpc, 0, b"", b""), status, 0, failure)
    """
    events = run(_HEAD + program).trace.tracks[0].events
    assert [event for event in events if event[0] not in "<>?"] == [
        "error ConnectionRefusedError: [Errno 111] Connection refused",
        "= grpc 5",
        f"error {'x' * 200}…",
        "= grpc 0",
        "= 404",
        "error 404 Näh\\udc80",
    ]


def test_ends_the_calls_inside(run: Runner) -> None:
    program = """
    @trace
    def steps():
        number = recorder.begin_request(pay, IN, 0, b"", b"")
        inner = recorder.begin_request(notify, OUT, number, b"", b"")
        recorder.end_request(number, 200, 0, None)
        recorder.end_request(inner, 200, 0, None)
        recorder.end_request(99, 200, 0, None)
    steps()
    """
    assert run(_HEAD + program).trace.tracks[0].calls == (
        ">steps >POST /pay ?1 in http >POST notify/send ?2 out http of=1 <POST notify/send"
        " =200 <POST /pay <steps"
    )


def test_min_duration(run: Runner) -> None:
    program = """
    @trace
    def main():
        number = recorder.begin_request(pay, IN, 0, b"", b"")
        work()
        recorder.end_request(number, 200, 0, None)
        work()
    main()
    """
    trace = run(_HEAD + program, FUNCTRACE_MIN_DURATION="1h").trace
    assert trace.tracks[0].calls == ">main >POST /pay ?1 in http =200 <POST /pay <main"


def test_filters_and_depth(run: Runner) -> None:
    program = """
    @trace
    def main():
        number = recorder.begin_request(pay, IN, 0, b"", b"")
        assert recorder.begin_request(notify, OUT, number, b"", b"") == 0
        recorder.end_request(number, 200, 0, None)
    main()
    """
    trace = run(_HEAD + program, FUNCTRACE_DEPTH="1", FUNCTRACE_EXCLUDE="*").trace
    assert trace.tracks[0].calls == ">POST /pay ?1 in http =200 <POST /pay"


def test_stopped_meanwhile(run: Runner) -> None:
    program = """
    @trace
    def main():
        kept = recorder.begin_request(pay, IN, 0, b"", b"")
        ended = recorder.begin_request(notify, OUT, kept, b"", b"")
        functrace.stop()
        assert recorder.begin_request(notify, OUT, kept, b"", b"") == 0
        recorder.end_request(ended, 200, 0, None)
        functrace.start()
        work()
        recorder.end_request(kept, 200, 0, None)
    main()
    """
    assert run(_HEAD + program).trace.tracks[0].calls == (
        ">main >POST /pay ?1 in http >POST notify/send ?2 out http of=1 <POST notify/send"
        " >work <work =200 <POST /pay <main"
    )


def test_forked_child(run: Runner) -> None:
    program = """
    import os
    @trace
    def main():
        number = recorder.begin_request(pay, IN, 0, b"", b"")
        if os.fork() == 0:
            recorder = functrace._get_control()._recorder
            assert recorder.open_inbound() == 0
            inner = recorder.begin_request(notify, OUT, 0, b"", b"")
            assert inner == 1
            recorder.end_request(inner, 200, route, None)
            os._exit(0)
        os.wait()
        recorder.end_request(number, 200, 0, None)
    main()
    """
    program = program.replace("def main():", "def main(recorder=recorder):")
    traces = run(_HEAD + program).traces
    child, parent = sorted(traces, key=lambda trace: len(trace.tracks[0].events))[::-1]
    if "^ main" not in child.tracks[0].events:
        child, parent = parent, child
    assert parent.tracks[0].calls == ">main >POST /pay ?1 in http =200 <POST /pay <main"
    assert child.tracks[0].calls == (
        "^main ^POST /pay >POST notify/send ?1 out http of=0 =200 POST /{verb} <POST notify/send"
    )


def test_in_a_coroutine(run: Runner) -> None:
    program = """
    import asyncio
    @trace
    async def pause():
        await asyncio.sleep(0.01)
    @trace
    async def main():
        number = recorder.begin_request(pay, IN, 0, b"", b"")
        await pause()
        recorder.end_request(number, 200, 0, None)
    asyncio.run(main())
    """
    trace = run(_HEAD + program).trace
    (track,) = [track for track in trace.tracks if "> main" in track.events]
    assert track.calls == (
        ">main >POST /pay ?1 in http >pause wait run <pause =200 <POST /pay <main"
    )


def test_another_thread_ends_it(run: Runner) -> None:
    program = """
    import threading
    number = recorder.begin_request(pay, IN, 0, b"", b"")
    thread = threading.Thread(target=recorder.end_request, args=(number, 200, 0, None))
    thread.start()
    thread.join()
    work()
    """
    assert run(_HEAD + program).trace.tracks[0].calls == (
        ">POST /pay ?1 in http =200 <POST /pay >work <work"
    )


@pytest.mark.parametrize("mode", ["record", "ring"])
def test_full_chunks(run: Runner, mode: str) -> None:
    """Each request has its record directly behind the entry, wherever a chunk ends."""
    program = """
    for i in range(20_000):
        one = recorder.begin_request(pay, IN | 1 << 8, 0, bytes(24), b"")
        if i % 3: work()
        recorder.end_request(one, 200, 0, "503" if i % 5 == 0 else None)
    """
    found = run(_HEAD + program, FUNCTRACE_RING_DIR="ring", FUNCTRACE=mode, FUNCTRACE_MAX_SIZE="2M")
    if mode == "ring":
        return
    events = found.trace.tracks[0].events
    assert events.count("> POST /pay") == events.count("< POST /pay") == 20_000
    requests = [event for event in events if event[0] == "?"]
    ids = f"ids={'0' * 32}-{'0' * 16}"
    assert requests == [f"? {number} in http {ids}" for number in range(1, 20_001)]


def test_process(run: Runner) -> None:
    program = """
    import os
    work()
    if os.fork() == 0:
        work()
        os._exit(0)
    os.wait()
    """
    traces = run(_HEAD + program, FUNCTRACE_SERVICE="shop", OTEL_SERVICE_NAME="other").traces
    assert [trace.process["service"] for trace in traces] == ["shop", "shop"]
    keys = {trace.process["process_key"] for trace in traces}
    assert len(keys) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", key) and int(key, 16) for key in keys)


def test_service_of_opentelemetry(run: Runner) -> None:
    assert run("trace(lambda: 1)()", OTEL_SERVICE_NAME="pay").trace.process["service"] == "pay"


def test_service_and_release_of_opentelemetry_attributes(run: Runner) -> None:
    attributes = " service.name = my%20shop ,x,service.version=1.4,a=%zz"
    found = run("trace(lambda: 1)()", OTEL_RESOURCE_ATTRIBUTES=attributes).trace.process
    assert (found["service"], found["release"]) == ("my shop", "1.4")


def test_invalid_attributes_and_a_release_of_its_own(run: Runner) -> None:
    attributes = "service.name=a%,service.version=1.4"
    found = run(
        "trace(lambda: 1)()", OTEL_RESOURCE_ATTRIBUTES=attributes, FUNCTRACE_RELEASE="1.5"
    ).trace.process
    assert (found["service"], found["release"]) == ("a%", "1.5")


def test_no_service(run: Runner) -> None:
    found = run("trace(lambda: 1)()", OTEL_SERVICE_NAME="", FUNCTRACE_SERVICE="")
    assert "service" not in found.trace.process
