"""The runtime uses the original builtins after a program has replaced them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from functrace import runtime as package
from functrace.runtime import BUILTINS
from tests.python_runtime import decoder
from tests.python_runtime.conftest import Runner

_PROGRAM = """
    import asyncio, builtins, threading

    kept = dict(vars(builtins))

    class Replaced(BaseException):
        pass

    def raising(name):
        def replaced(*arguments, **keywords):
            raise Replaced(name)
        return replaced

    names = vars(builtins)
    others = {name: raising(name) for name, value in kept.items() if callable(value)}

    class Without:
        def __enter__(self): names.update(others)
        def __exit__(self, *_): names.update(kept)

    @trace
    def plain(): pass

    @trace
    def failing(): raise error

    @trace
    def generator(): yield 1

    @trace
    async def coroutine():
        with Without():
            plain()

    def calls():
        with Without():
            plain()
            try:
                failing()
            except error_type:
                pass
            for _ in generator():
                pass

            @trace
            def inner(): pass

            inner()

    error, error_type = OSError(2, "gone"), OSError

    calls()
    thread = threading.Thread(target=calls)
    thread.start()
    thread.join()
    asyncio.run(coroutine())
"""
_FAILED = {"!FileNotFoundError: [Errno 2] gone", "!"}
_CALLS = (
    ">plain <plain >failing FAILED <failing >generator <generator >generator <generator "
    ">calls.<locals>.inner <calls.<locals>.inner"
)


def test_calls_are_recorded(run: Runner) -> None:
    done = run(_PROGRAM)
    assert not done.stderr
    main, thread, task = (_calls(track) for track in done.trace.tracks)
    assert (main, thread) == (_CALLS, _CALLS)
    assert task == ">coroutine >plain <plain <coroutine"


def test_calls_are_printed(run: Runner) -> None:
    done = run(_PROGRAM, FUNCTRACE="text", FUNCTRACE_OUT="calls")
    assert not done.stderr
    printed = (done.folder / "calls").read_text(encoding="utf-8").splitlines()
    assert len(printed) == 2 * 10 + 4


def _calls(track: decoder.Track) -> str:
    events = (event.replace(" ", "", 1) for event in track.events)
    return " ".join("FAILED" if event in _FAILED else event for event in events)


def _modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(package.__path__, "functrace.runtime.")]
    return [importlib.import_module(name) for name in names]


def _functions(owner: Any) -> Iterator[FunctionType]:
    for value in list(vars(owner).values()):
        function = getattr(value, "__func__", getattr(value, "fget", value))
        if isinstance(function, FunctionType) and function.__name__ != "__annotate__":
            yield function
        elif isinstance(value, type) and value.__module__ == vars(owner).get("__name__"):
            yield from _functions(value)


@pytest.mark.parametrize(
    "module", _modules(), ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_each_module_uses_the_original_builtins(module: ModuleType) -> None:
    """Also modules whose functions no program of these tests calls."""
    own = [f for f in _functions(module) if f.__code__.co_filename == module.__file__]
    assert [f.__qualname__ for f in own if f.__builtins__ is not BUILTINS] == []
