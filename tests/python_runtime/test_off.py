"""A program with tracing off loads nothing and behaves the same."""

from __future__ import annotations

import subprocess

import pytest

from tests.python_runtime.conftest import Runner, Runtime, environment


def test_off_loads_no_module_and_changes_nothing(run: Runner) -> None:
    result = run(
        """
        import sys
        before = set(sys.modules)

        @trace
        def f(): pass

        @trace
        def g():
            @trace
            def inner(): pass
            return inner

        f(); g()
        assert set(sys.modules) == before
        assert sys.getprofile() is None and sys.gettrace() is None
        if hasattr(sys, "monitoring"):
            assert [sys.monitoring.get_tool(i) for i in range(6)] == [None] * 6
        print(sorted(m for m in sys.modules if m.startswith("functrace")))
        """,
        FUNCTRACE="",
    )
    assert result.stdout == "['functrace', 'functrace.runtime', 'functrace.runtime.registry']\n"
    assert result.traces == []


def test_only_the_standard_library_is_loaded(run: Runner, runtime: Runtime) -> None:
    result = run("""
        import sys
        trace(lambda: 1)()
        ours = {name for name in sys.modules if name.partition(".")[0] == "functrace"}
        others = {name.partition(".")[0] for name in set(sys.modules) - ours}
        strange = others - set(sys.stdlib_module_names) - {"__main__", "__mp_main__"}
        known = "_distutils", "__editable", "_xxsubinterpreters", "sitecustomize"
        print(sorted(name for name in strange if not name.startswith(known)))
        print(sorted({".".join(name.split(".")[:2]) for name in ours}))
    """)
    assert result.stdout.splitlines()[0] == "[]"
    native = ["functrace._native"] if runtime.is_native else []
    assert result.stdout.splitlines()[1] == str(["functrace", *native, "functrace.runtime"])


@pytest.mark.parametrize("include", ["", "Get,store.*"])
def test_start_loads_no_large_module(run: Runner, runtime: Runtime, include: str) -> None:
    if not runtime.is_native:
        pytest.skip("recording in Python loads what it needs")
    result = run(
        """
        import sys
        before = set(sys.modules)
        trace(lambda: 1)()
        large = {"dataclasses", "functools", "importlib", "json", "platform", "re", "typing"}
        large.add("fnmatch")
        print(sorted(large & (set(sys.modules) - before)))
    """,
        FUNCTRACE_INCLUDE=include,
    )
    assert result.stdout == "[]\n"


def test_import_loads_no_other_module(runtime: Runtime) -> None:
    """The cost of an import is the modules that it loads; Python itself has loaded os."""
    program = (
        "import sys; before = {*sys.modules, *sys.builtin_module_names}; import functrace;"
        "loaded = set(sys.modules)"
    )
    done = subprocess.run(
        [runtime.python.executable, "-c", f"{program}; print(sorted(loaded - before))"],
        env=environment(runtime, {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['functrace', 'functrace.runtime', 'functrace.runtime.registry']\n"


def test_module_is_distinguished_from_namesakes(run: Runner) -> None:
    result = run(
        """
        assert functrace.RUNTIME == "functrace-cli 1"
        try:
            functrace.nothing
        except AttributeError as error:
            print(error)
        """,
        FUNCTRACE="off",
    )
    assert result.stdout == "module 'functrace' has no attribute 'nothing'\n"
