"""README, docs and --help say the same as the code."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from functrace.cache import folders
from functrace.cli import verbs
from functrace.settings import _KINDS as SETTINGS
from functrace.settings import _VARIABLES as VARIABLES
from functrace.tracefile import rings

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
COMMON = {"--color"}
README = (ROOT / "README.md").read_text()


def _verbs() -> dict[str, click.Command]:
    context = click.Context(verbs.functrace)
    names = verbs.functrace.list_commands(context)
    return {n: c for n in names if (c := verbs.functrace.get_command(context, n))}


@pytest.mark.parametrize("verb", _verbs())
def test_every_verb_is_documented(verb: str) -> None:
    assert f"## functrace {verb}\n" in COMMANDS
    assert f"`{verb} " in README or f"`{verb}`" in README


def _options(command: click.Command) -> list[click.Option]:
    """Return the options of a verb, or of all verbs in a group."""
    if isinstance(command, click.Group):
        return [option for each in command.commands.values() for option in _options(each)]
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def test_common_options_are_documented() -> None:
    section = COMMANDS.split("## Options of all verbs\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(--[a-z]+)[` ]", section.replace("`-h`, ", "")))
    assert documented - {"--help"} == {p.opts[0] for p in verbs.functrace.params}
    assert documented > COMMON


@pytest.mark.parametrize("verb", _verbs())
def test_options_agree_with_the_code(verb: str) -> None:
    section = COMMANDS.split(f"## functrace {verb}\n")[1].split("\n## ")[0]
    section = re.sub(r"```.*?```", "", section, flags=re.DOTALL)  # other verbs' output
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section))
    has = {o for p in _options(_verbs()[verb]) for o in (*p.opts, *p.secondary_opts)}
    has = {o for o in has if o.startswith("--")} - COMMON
    assert documented == has


def test_every_script_is_in_the_table_of_builds() -> None:
    """docs/builds.md says what works by naming the script that shows it."""
    documented = set(re.findall(r"`([\w-]+)\.txtar`", (ROOT / "docs" / "builds.md").read_text()))
    assert documented == {path.stem for path in (ROOT / "tests" / "scripts").glob("*.txtar")}


def test_settings_agree_with_the_code() -> None:
    section = COMMANDS.split("## Settings")[1]
    assert set(SETTINGS) <= set(re.findall(r"`([a-z-]+)`", section))


_LITERAL = re.compile(r"""["'](FUNCTRACE(?:_[A-Z]+)*)["']""")


def _literals(*globs: str) -> set[str]:
    files = [path for glob in globs for path in ROOT.glob(glob)]
    code = [p.read_text() for p in files if not p.name.endswith("_test.go")]
    return {name for text in code for name in _LITERAL.findall(text)} - {"FUNCTRACE_OTLP_SLOW"}


def _python_variables() -> set[str]:
    """Return the variables that the Python runtime, the import hook and the sender read."""
    runtime = (ROOT / "functrace" / "runtime" / "environment.py").read_text()
    sender = (ROOT / "functrace" / "export" / "otlp" / "live" / "variables.py").read_text()
    names = re.findall(r'value_of\("(\w+)"', runtime)
    names += [f"OTLP_{n}" for n in re.findall(r'\{PREFIX\}([A-Z_]+)"', sender) if n != "SLOW"]
    literals = _literals("functrace/runtime/*.py", "functrace/pyimport/**/*.py")
    return literals | {f"FUNCTRACE_{name}" for name in names} | {folders.VARIABLE}


def test_variables_agree_with_the_code() -> None:
    text = (ROOT / "docs" / "variables.md").read_text()
    rows = dict(re.findall(r"^\| `(FUNCTRACE\w*)` \| ([^|]+) \|", text, re.MULTILINE))
    readers = {name: set(cell.split(", ")) for name, cell in rows.items()}
    go = _literals("runtime_go/*.go", "runtime_go/otlp/**/*.go")
    assert go == {name for name, by in readers.items() if "Go" in by}
    assert _python_variables() == {name for name, by in readers.items() if "Python" in by}
    verbs = {*VARIABLES.values(), folders.VARIABLE, rings.FOLDER_VARIABLE, "FUNCTRACE_PYTHON"}
    assert verbs == {name for name, by in readers.items() if "verbs" in by}
    assert _literals("functrace/**/*.py", "runtime_go/**/*.go") <= rows.keys()


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def _text(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_have_targets(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _text(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_architecture_lists_every_folder() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = set(re.findall(r"`(functrace/\w+)/`", text))
    folders = {path.parent for path in (ROOT / "functrace").glob("*/__init__.py")}
    assert table == {f"functrace/{folder.name}" for folder in folders}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_targets_of_make_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / page).read_text()
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)
    assert named
    assert set(named) <= targets


def test_markers_are_explained(request: pytest.FixtureRequest) -> None:
    expression = next(word for word in request.config.getini("addopts") if "not " in word)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for marker in re.findall(r"not (\w+)", expression):
        assert f"`{marker}`" in text
