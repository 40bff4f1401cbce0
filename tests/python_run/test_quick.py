"""The quick parser of functrace run gives the same result as the click command."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from functrace import settings
from functrace.cli import run_arguments
from functrace.cli.run import run
from tests.python_run.conftest import Project


@pytest.mark.parametrize(
    "line",
    [
        "app.py",
        "app.py --record -q",
        "-",
        "-m app -q",
        "-mapp",
        "-c pass x",
        "--record -o x.ftrace -q app.py",
        "--include a --exclude b --include c --deps d --compiled e app.py",
        "--include-path a --exclude-path b app.py",
        "--exported-only --skip-generated --lambdas --std --children --overwrite app.py",
        "--python python3 --out -x --max-size 5M --min-duration 5us app.py",
        "-O app.py",
        "-q -q -W ignore -q app.py",
        "-uqm app",
        "--record --check-hash-based-pycs never app.py",
        "-V",
        "-Xdev -Z",
    ],
)
def test_same_result_as_the_command(line: str) -> None:
    found = run_arguments.parse(shlex.split(line))
    assert found is not None
    words, flags = found
    with run.make_context("run", shlex.split(line)) as context:
        assert {"words": words, **flags} == context.params


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--",
        "-q",
        "-- app.py",
        "--help",
        "--depth 2 app.py",
        "--min-lines 2 app.py",
        "--out=x app.py",
        "-ox app.py",
        "-qo x app.py",
        "-q -h",
        "-qu app.py -o",
        "-- -q app.py",
        "-Z app.py",
    ],
)
def test_other_command_lines_are_left_to_the_command(line: str) -> None:
    assert run_arguments.parse(shlex.split(line)) is None


def test_every_option_has_its_default() -> None:
    found = run_arguments.parse(["app.py"])
    assert found is not None
    options = {p.name for p in run.params if isinstance(p, click.Option)}
    assert found[1].keys() == options - {"help"}


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("pyproject.toml", "[tool.functrace]\ninclude = ['x']\n", True),
        ("pyproject.toml", "[tool.black]\n", False),
        ("functrace.toml", "lambdas = true\n", True),
        ("setup.cfg", "[functrace]\n", False),
    ],
)
def test_configuration_files_are_detected(
    tmp_path: Path, file: str, text: str, expected: bool
) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / file).write_text(text)
    assert settings.may_exist(str(tmp_path / "below"), {}) == expected
    assert bool(settings.load(tmp_path / "below", {})) == expected


def test_configuration_variables_are_detected(tmp_path: Path) -> None:
    assert settings.may_exist(str(tmp_path), {"FUNCTRACE_MIN_LINES": "3"})
    assert not settings.may_exist(str(tmp_path), {"FUNCTRACE_OUT": "x", "FUNCTRACE_CACHE": "y"})


@pytest.mark.parametrize("words", [["--", "app.py"], ["-mapp"], ["-cimport app"]])
def test_every_kind_of_program_is_traced(project: Project, words: list[str]) -> None:
    project.write({"app.py": "def work(): return 1\nwork()\n"})
    done = project.run(*words)
    assert "work\n" in done.stdout, done.stderr


def test_configuration_applies(project: Project) -> None:
    text = "def work(): return 1\ndef play(): return 1\nwork()\nplay()\n"
    project.write({"app.py": text, "functrace.toml": "exclude = ['play']\n"})
    done = project.run("app.py")
    assert "__main__.work" in done.stdout
    assert "__main__.play" not in done.stdout


def test_click_is_not_loaded(project: Project) -> None:
    project.write({"app.py": "def work(): return 1\nwork()\n"})
    words = ["-X", "importtime", "-m", "functrace", "run", "-q"]
    assert "click" not in project.python(*words, "app.py").stderr
    assert "click" in project.python(*words, "--depth", "9", "app.py").stderr


@pytest.mark.parametrize(
    ("line", "out", "words"),
    [
        ("-ox app.py", "x", "app.py"),
        ("-oo app.py", "o", "app.py"),
        ("-qo x app.py", "x", "app.py"),
        ("--out=x -Ou app.py -q", "x", "-Ou app.py -q"),
        ("--out x -- -q app.py", "x", "-q app.py"),
        ("-o x -- -- app.py", "x", "-- app.py"),
        ("-o x -qu app.py -o", "x", "-qu app.py -o"),
    ],
)
def test_where_options_end(line: str, out: str, words: str) -> None:
    with run.make_context("run", shlex.split(line)) as context:
        assert (context.params["out"], context.params["words"]) == (out, tuple(words.split()))
