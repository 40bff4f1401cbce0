"""The boundary between Python and the reader in C."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from functrace import _native
from functrace._native import engine as engine_module
from functrace._native.engine import array, check, engine
from functrace._native.row_types import CHUNK
from functrace.errors import FunctraceError

STALE = "the compiled trace reader is of another version; reinstall functrace-cli"


def _module(**changes: Any) -> Any:
    return SimpleNamespace(
        **{"VERSION": engine_module.VERSION, "layout": engine().layout, **changes}
    )


def test_the_binary_is_of_this_version() -> None:
    check(_module())


def test_a_binary_of_another_version_is_refused() -> None:
    with pytest.raises(FunctraceError, match=STALE):
        check(_module(VERSION=engine_module.VERSION + 1))


@pytest.mark.parametrize("change", [(2, 1), (3, 8), (4, 4)])
def test_a_binary_with_another_layout_is_refused(change: tuple[int, int]) -> None:
    place, more = change
    fields = [list(field) for field in engine().layout()]
    fields[7][place] += more
    with pytest.raises(FunctraceError, match=STALE):
        check(_module(layout=lambda: [tuple(field) for field in fields]))


def test_a_missing_binary_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "functrace._native._reader", None)
    monkeypatch.delattr(_native, "_reader", raising=False)
    engine.cache_clear()
    try:
        with pytest.raises(FunctraceError, match=r"cannot be loaded.*reinstall functrace-cli"):
            engine()
    finally:
        engine.cache_clear()


def test_items_of_another_size_are_refused() -> None:
    data = array(np.zeros(8192, np.uint8))
    with pytest.raises(ValueError, match="expected items of 48 bytes"):
        engine().pieces(data, 0, 2, array(np.zeros(6, "<u8")))


def test_a_chunk_outside_of_the_file_is_refused() -> None:
    data = np.zeros(8192, np.uint8)
    chunks = np.zeros(1, CHUNK)
    chunks["offset"], chunks["size"] = 8192, 512
    with pytest.raises(ValueError, match="outside of its file"):
        engine().pieces(array(data), 0, 2, array(chunks))


def test_a_source_that_points_outside_is_refused() -> None:
    functions = np.array([5], np.int32)
    data, first = np.zeros(8, np.uint8), np.zeros(1, np.int64)
    source = (array(data), 0, None, array(first), None, array(functions), 2, 0, False)
    with pytest.raises(ValueError, match="refer to what is not in it"):
        engine().Events(source, None, True, None)
