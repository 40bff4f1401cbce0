"""Programs that use sys.monitoring tools of their own."""

from __future__ import annotations

import pytest

from tests.python_runtime.conftest import Runner, Runtime

_PROGRAM = """
    import sys
    monitoring = sys.monitoring

    @trace
    def leaf(): pass

    @trace
    def around(work):
        leaf()
        work()
        leaf()

    seen = []

    def use(tool):
        monitoring.use_tool_id(tool, "mine")
        monitoring.register_callback(tool, monitoring.events.PY_START, seen.append)
        monitoring.set_local_events(tool, leaf.__code__, monitoring.events.PY_START)
"""
_AROUND = ">around >leaf <leaf >leaf <leaf <around"


@pytest.fixture(autouse=True)
def needs_monitoring(runtime: Runtime) -> None:
    if runtime.python.release < (3, 12):
        pytest.skip("it has no sys.monitoring")


def _calls(run: Runner, program: str) -> tuple[str, str]:
    result = run(_PROGRAM + program)
    assert result.stderr == ""
    return result.trace.tracks[0].calls, result.stdout


def test_program_can_use_every_tool_id(run: Runner) -> None:
    calls, said = _calls(
        run,
        """
    for tool in (5, 4, 3, 2, 1, 0):
        around(lambda: monitoring.use_tool_id(tool, "mine"))
        monitoring.free_tool_id(tool)
    print([monitoring.get_tool(tool) for tool in range(6)].count("functrace"))
    """,
    )
    assert calls == " ".join([_AROUND] * 6)
    assert said == "1\n"


def test_program_cannot_free_our_tool_id(run: Runner) -> None:
    calls, _ = _calls(
        run,
        """
    def free_all():
        for tool in range(6):
            monitoring.free_tool_id(tool)
            if hasattr(monitoring, "clear_tool_id"):
                monitoring.clear_tool_id(tool)
    around(free_all)
    """,
    )
    assert calls == _AROUND


def test_first_free_tool_id(run: Runner) -> None:
    calls, said = _calls(
        run,
        """
    def look():
        tool = next(n for n in range(6) if monitoring.get_tool(n) is None)
        monitoring.use_tool_id(tool, "mine")
        print(tool, monitoring.get_tool(tool))
    around(look)
    """,
    )
    assert (calls, said) == (_AROUND, "0 mine\n")


def test_profilers_of_the_program(run: Runner) -> None:
    calls, said = _calls(
        run,
        """
    import cProfile, pstats
    profiler = cProfile.Profile()
    profiler.enable()
    around(leaf)
    profiler.disable()
    stats = pstats.Stats(profiler).stats
    print([n[0] for (_, _, name), n in stats.items() if name == "leaf"])
    """,
    )
    assert (calls, said) == (_AROUND.replace("<leaf ", "<leaf >leaf <leaf ", 1), "[3]\n")


def test_more_tools_than_ids(run: Runner) -> None:
    """The program can use all ids, as without functrace."""
    result = run(
        _PROGRAM
        + """
    around(lambda: [monitoring.use_tool_id(tool, "mine") for tool in range(6)])
    leaf()
    print({monitoring.get_tool(tool) for tool in range(6)})
    """
    )
    assert result.stdout == "{'mine'}\n"
    assert result.stderr == "functrace: sys.monitoring has no tool id left; tracing is off\n"


def test_all_tool_ids_in_use_at_the_start(run: Runner) -> None:
    result = run(
        """
        import sys
        for tool in range(6):
            sys.monitoring.use_tool_id(tool, "mine")
        @trace
        def f(): pass
        f()
        """
    )
    assert result.stderr == "functrace: sys.monitoring has no tool id left; tracing is off\n"


def test_program_replaces_sys_monitoring_functions(run: Runner) -> None:
    calls, said = _calls(
        run,
        """
    before = monitoring.use_tool_id
    monitoring.use_tool_id = lambda tool, name: before(tool, name)
    around(lambda: monitoring.use_tool_id(5, "mine"))
    functrace.stop()
    monitoring.use_tool_id(4, "mine")
    functrace.start()
    around(lambda: monitoring.use_tool_id(3, "mine"))
    print(monitoring.get_tool(3), monitoring.get_tool(4), monitoring.get_tool(5))
    """,
    )
    assert (calls, said) == (f"{_AROUND} {_AROUND}", "mine mine mine\n")


def test_stop_frees_the_tool_id(run: Runner) -> None:
    result = run(
        """
        import sys
        before = dict(vars(sys.monitoring))
        @trace
        def f(): pass
        f()
        functrace.stop()
        assert vars(sys.monitoring) == before
        print([sys.monitoring.get_tool(tool) for tool in range(6)])
        """
    )
    assert result.stdout == "[None, None, None, None, None, None]\n"
