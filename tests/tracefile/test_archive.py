"""Traces in zip files, which may come from anybody."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from functrace.errors import FunctraceError
from functrace.tracefile import open_trace_file
from functrace.tracefile.archive import read_archive, read_member
from tests.cli import faulty

_LARGE = 32 << 20


def error(path: Path) -> str:
    """Return why a trace cannot be opened."""
    with pytest.raises(FunctraceError) as raised:
        open_trace_file(path)
    return str(raised.value).removeprefix(f"{path}: ")


def zipped(folder: Path, *names: str, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Return a zip file that has the trace of faults under each of these names."""
    trace = faulty.faulty(folder / "faulty.ftrace")
    with zipfile.ZipFile(folder / "bundle.zip", "w", method) as archive:
        archive.writestr("bundle/why.json", "{}")
        for name in names:
            archive.write(trace, name)
    return folder / "bundle.zip"


def declare_size(path: Path, size_bytes: int) -> None:
    """Change the size that the last file of a zip file declares."""
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = size_bytes.to_bytes(4, "little")
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["bundle/shop-1.ftrace", "shop.ftrace", "../../outside.ftrace"])
def test_the_trace_in_a_zip_file_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    path = zipped(tmp_path / "in", name)
    plain = open_trace_file(tmp_path / "in" / "faulty.ftrace")
    found = open_trace_file(path)
    assert found.path == path
    assert found.words.data == plain.words.data
    assert {each.name for each in tmp_path.rglob("*")} == {"in", "faulty.ftrace", "bundle.zip"}


def test_none_or_several_traces(tmp_path: Path) -> None:
    message = "in this zip file; it must have one"
    assert error(zipped(tmp_path)) == f"no trace (*.ftrace) {message}"
    assert error(zipped(tmp_path, "1.ftrace", "2.ftrace")) == f"2 traces (*.ftrace) {message}"


def test_an_unusual_method(tmp_path: Path) -> None:
    path = zipped(tmp_path, "1.ftrace", method=zipfile.ZIP_LZMA)
    assert error(path) == "1.ftrace cannot be unpacked; unpack it yourself"


def test_an_enormous_trace(tmp_path: Path) -> None:
    path = zipped(tmp_path, "1.ftrace")
    declare_size(path, 3 << 30)
    assert error(path) == "1.ftrace has 3.2 GB; unpack it first"


@pytest.mark.parametrize("read", [read_archive, lambda path: read_member(path, "1.ftrace", 1000)])
def test_a_file_that_is_larger_than_it_declares(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    """It takes no more memory than it declares."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.ftrace", bytes(_LARGE))
    declare_size(tmp_path / "a.zip", 100)
    tracemalloc.start()
    try:
        with pytest.raises(FunctraceError, match="damaged zip file: Bad CRC-32"):
            read(tmp_path / "a.zip")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < _LARGE // 8


def test_damage_is_an_error(tmp_path: Path) -> None:
    """No byte that is changed and no end that is missing raises anything else."""
    path = zipped(tmp_path, "1.ftrace")
    whole = path.read_bytes()
    ends = [*range(0, 200, 7), *range(len(whole) - 400, len(whole), 7)]  # of zip's own structures
    for place in (*ends, *range(200, len(whole), 9001)):
        for content in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            path.write_bytes(content)
            with suppress(FunctraceError):
                open_trace_file(path)


def test_a_file_that_is_missing_or_no_zip_file(tmp_path: Path) -> None:
    assert error(tmp_path / "none.zip") == "No such file or directory"
    (tmp_path / "text.zip").write_text("text")
    assert error(tmp_path / "text.zip") == "damaged zip file: File is not a zip file"
