"""Globs of function names: five matchers, one grammar (docs/globs.md).

The Go runtime and the Go sender test the same vectors in their own glob tests.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functrace.errors import UsageError
from functrace.globs import compile_list, glob_of, parse_globs
from functrace.runtime.globs import Globs
from rewriter.filters import Filters, Location, make_filter
from rewriter.globs import split_globs
from rewriter.plan import Function
from tests.support.toolchains import Go

FILE = Path(__file__).parent / "vectors_of_globs.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
GO_FOLDER = FILE.parents[1] / "runtime_go"


class _Found:
    def __init__(self, function: Function) -> None:
        self.function = function


def _match_in_rewriter(glob: str, name: str) -> bool:
    """Match as the rewriter does, which has the package apart from the function's name."""
    folder, slash, last = name.rpartition("/")
    package, dot, function = last.partition(".")
    location = Location("", folder + slash + package.replace("%2e", ".")) if dot else Location()
    get_reason: Callable[[_Found], str | None] = make_filter(
        Filters(include=tuple(split_globs(glob))), location, lambda _: True
    )
    return get_reason(_Found(Function(function if dot else last, 1, 1))) is None


MATCHERS: dict[str, Callable[[str, str], bool]] = {
    "verbs": lambda glob, name: compile_list([glob])(name),
    "rewriter": _match_in_rewriter,
    "python": lambda glob, name: Globs(glob).match(name),
}


@pytest.mark.parametrize("matcher", MATCHERS)
def test_vectors(matcher: str) -> None:
    wrong = [
        (glob, name)
        for glob, name, language, expected in VECTORS["names"]
        if (matcher != "python" or language == "python")
        and MATCHERS[matcher](glob, name) != expected
    ]
    assert wrong == []


@pytest.mark.parametrize(("text", "globs"), VECTORS["lists"])
def test_lists(text: str, globs: list[str]) -> None:
    assert split_globs(text) == globs
    for name in ("Get", "store.Put", "lib.Map", "main.main"):
        assert Globs(text).match(name) == any(Globs(glob).match(name) for glob in globs)


@pytest.mark.parametrize("glob", VECTORS["invalid"])
def test_invalid_globs(glob: str) -> None:
    with pytest.raises(UsageError):
        parse_globs([glob])
    with pytest.raises(ValueError, match="invalid glob"):
        Globs(glob)


def test_errors_name_the_option() -> None:
    with pytest.raises(UsageError) as raised:
        parse_globs(["Get,!Put"], "--include")
    assert str(raised.value) == "--include !Put: ! has no meaning in a glob; only * and ? have"
    with pytest.raises(UsageError) as raised:
        parse_globs(["store/..."], "--exclude", "--exclude-path")
    assert str(raised.value) == (
        "--exclude store/...: this is a path, not the name of a function; "
        "use --exclude-path store/..."
    )


_WORDS = ["a", "b", "ab", "ba", "A", "é", "v2", "_", "<lambda>", "func1"]
_PIECES = [*_WORDS, *"..**??/", "(*a).", "(b)", "(*)", "[...]", ".<locals>.", "%2e", "/v2."]
_PIECES += ["...", "init"]
_GO_NAMES = [*_WORDS, *"../", "gopkg.in/", "/a%2ev2.", "/v2.", ".(*a).", ".(*b[...]).", "[...]."]
_GO_NAMES += [".init.0", ".init.1."]
_PYTHON_NAMES = [*_WORDS, *"...", ".<locals>."]

globs = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join)
python_names = st.lists(st.sampled_from(_PYTHON_NAMES), min_size=1, max_size=7).map("".join)
paths = st.lists(st.sampled_from([*_WORDS, "gopkg.in", "a%2ev2"]), min_size=1, max_size=4)
functions = st.lists(st.sampled_from([*_WORDS, "(*a)", "(*b[...])", "a[...]"]), min_size=1)


def _match(matcher: str, glob: str, name: str) -> bool | None:
    """Return the result of a matcher, or None if the glob is invalid."""
    try:
        return MATCHERS[matcher](glob, name)
    except (UsageError, ValueError):
        return None


@given(globs, python_names)
def test_python_runtime_matches_as_the_verbs(glob: str, name: str) -> None:
    assert _match("python", glob, name) == _match("verbs", glob, name)


@given(globs, paths.map("/".join), functions.map(".".join))
def test_rewriter_matches_as_the_verbs(glob: str, package: str, function: str) -> None:
    name = f"{package}.{function}"
    expected = _match("verbs", glob, name)
    assert expected is None or _match_in_rewriter(glob, name) == expected


@pytest.mark.parametrize("folder", [".", "otlp/internal/spans"])
def test_go_matches_as_the_verbs(go: Go, folder: str, tmp_path: Path) -> None:
    choices = random.Random(15)
    names: list[tuple[str, str, str, bool]] = []
    invalid: list[str] = []
    for _ in range(20_000):
        glob = "".join(choices.choices(_PIECES, k=choices.randint(1, 6)))
        name = "".join(choices.choices(_GO_NAMES, k=choices.randint(1, 7)))
        expected = _match("verbs", glob, name)
        if expected is None:
            invalid.append(glob)
        else:
            names.append((glob, name, "go", expected))
    assert sum(expected for *_, expected in names) > 1_000
    assert len(invalid) > 1_000
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps({"lists": [], "invalid": invalid, "names": names}))
    flags = ["-tags=trace", "-run=TestGlobVectors", "-count=1", "-v"]
    done = go.run("test", *flags, ".", cwd=GO_FOLDER / folder, FUNCTRACE_TEST_GLOBS=str(vectors))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--- PASS: TestGlobVectors" in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "example.com/shop/store.(*Store).Get",
        "lib.Map[...]",
        "lib.List[int, string].Add",
        "app.outer.<locals>.<lambda>",
        "it's a {name}, or\\not.f",
        "main.\x1b[2J\n.f",
        "b/main;(.g",
        "--help",
        "-x.go",
        "",
        "x.py",
    ],
)
def test_a_name_has_a_glob_that_matches_it(name: str) -> None:
    glob = glob_of(name)
    assert glob.isprintable()
    assert parse_globs([glob]) == (glob,)
    assert compile_list([glob])(name)


@given(st.text() | st.text().map("-{}".format))
def test_any_name_has_a_glob_that_matches_it_and_is_no_option(name: str) -> None:
    glob = glob_of(name)
    assert compile_list([glob])(name)
    assert not glob.startswith("-")
