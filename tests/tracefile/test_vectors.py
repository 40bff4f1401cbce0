from __future__ import annotations

from pathlib import Path

import pytest

from tests.tracefile.converted import as_version_2
from tests.tracefile.meaning import meaning
from tests.tracefile.vectors import FOLDER, VECTORS, as_json


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.usefixtures("each_implementation")
def test_a_vector_is_what_the_writer_makes_and_means_what_its_json_says(name: str) -> None:
    path = FOLDER / f"{name}.ftrace"
    assert path.read_bytes() == VECTORS[name]
    assert as_json(meaning(path)) == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


_VERSION_1 = [name for name, content in VECTORS.items() if content[8] == 1]


@pytest.mark.parametrize("name", _VERSION_1)
@pytest.mark.usefixtures("each_implementation")
def test_a_trace_of_version_1_means_the_same_as_one_of_version_2(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ftrace"
    path.write_bytes(as_version_2(VECTORS[name]))
    assert meaning(path) == meaning(FOLDER / f"{name}.ftrace")


def test_each_file_is_a_vector() -> None:
    assert {path.stem for path in FOLDER.glob("*.ftrace")} == set(VECTORS)
