from __future__ import annotations

import pytest

from tests.tracefile.meaning import meaning
from tests.tracefile.vectors import FOLDER, FOLDER_OF_VERSION_1, VECTORS, VERSION_1, as_json


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.usefixtures("each_implementation")
def test_a_vector_is_what_the_writer_makes_and_means_what_its_json_says(name: str) -> None:
    path = FOLDER / f"{name}.ftrace"
    assert path.read_bytes() == VECTORS[name]
    assert as_json(meaning(path)) == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VERSION_1)
@pytest.mark.usefixtures("each_implementation")
def test_a_trace_of_version_1_means_the_same(name: str) -> None:
    path = FOLDER_OF_VERSION_1 / f"{name}.ftrace"
    assert path.read_bytes() == VERSION_1[name]
    assert as_json(meaning(path)) == (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def test_each_file_is_a_vector() -> None:
    assert {path.stem for path in FOLDER.glob("*.ftrace")} == set(VECTORS)
    assert {path.stem for path in FOLDER_OF_VERSION_1.glob("*.ftrace")} == set(VERSION_1)
