"""--diff, --check, standard output and input, filters and settings, on Python sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import mixed
from tests.cli.conftest import Run, contents

SOURCE = "def f():\n    return 1\n"
TRACED = "import functrace as _functrace_\n@_functrace_.trace\ndef f():\n    return 1\n"
GO_SOURCE = "// A shop.\npackage shop\n\nfunc Get() {\n}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return mixed.make(tmp_path / "python", mixed.FILES)


def test_nothing_changes(tree: Path, functrace: Run) -> None:
    before = contents(tree)
    diff = functrace("inject", "--diff", ".", cwd=tree)
    assert "--- a/shop/store.py\n+++ b/shop/store.py\n" in diff.stdout
    assert "+    @_functrace_.trace\n     def get(self, item):\n" in diff.stdout
    check = functrace("inject", "--check", ".", cwd=tree)
    assert (check.returncode, check.stdout) == (
        1,
        "app.py: 1 function\nshop/_hidden/work.pyw: 1 function\nshop/store.py: 2 functions\n",
    )
    assert functrace("strip", "--check", ".", cwd=tree).returncode == 0
    assert contents(tree) == before


def test_language_of_standard_input_is_detected(tree: Path, functrace: Run) -> None:
    done = functrace("inject", "-", stdin=SOURCE, cwd=tree)
    assert (done.returncode, done.stdout, done.stderr) == (0, TRACED, "")
    assert functrace("strip", "-", stdin=TRACED, cwd=tree).stdout == SOURCE
    go = functrace("inject", "-", "--runtime-import", "x/functrace", stdin=GO_SOURCE, cwd=tree)
    assert "defer functrace.Trace()()" in go.stdout


def test_language_of_standard_input_can_be_set(tree: Path, functrace: Run) -> None:
    named = ("-", "--stdin-name", "shop/store.py")
    excluded = functrace("inject", *named, "--exclude", "shop.store.f", stdin=SOURCE, cwd=tree)
    assert excluded.stdout == SOURCE
    by_path = functrace("inject", *named, "--include-path", "shop/...", stdin=SOURCE, cwd=tree)
    assert by_path.stdout == TRACED
    bad = functrace("inject", *named, stdin="def f(:\n", cwd=tree)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("shop/store.py:1:7: ")
    as_go = functrace("inject", "-", "--language", "go", stdin="func f( {\n", cwd=tree)
    assert (as_go.returncode, as_go.stdout) == (1, "")
    other = functrace("inject", "-", "--stdin-name", "notes.txt", stdin=SOURCE, cwd=tree)
    assert (other.returncode, other.stdout) == (2, "")
    assert functrace("inject", "-w", "--stdin-name", "x.py", ".", cwd=tree).returncode == 2


def test_one_file_to_standard_output(tree: Path, functrace: Run) -> None:
    done = functrace("inject", "shop/store.py", cwd=tree)
    assert (done.stdout, done.stderr) == (mixed.TRACED, "")


def test_skipped_functions_are_counted_and_listed(tree: Path, functrace: Run) -> None:
    source = (
        "import numba\nfrom typing import overload\n\n\n@numba.njit\ndef fast(): return 1\n\n\n"
        "@overload\ndef f(a: int): ...\n\n\n# functrace: skip\ndef hot(): return 1\n"
    )
    mixed.make(tree, {"fast.py": source, "no.py": "# functrace: skip-file\n" + SOURCE})
    done = functrace("inject", "--check", "--json", ".", cwd=tree)
    summary = json.loads(done.stdout)
    assert summary["skipped"] == {
        "# functrace: skip": 1,
        "@overload": 1,
        "compiled by @numba.njit": 1,
    }
    assert summary["left_alone"]["# functrace: skip-file"] == 1
    assert (summary["file_count"], summary["function_count"]) == (6, 4)
    assert summary["error_messages"] == []
    message = functrace("inject", "--check", "-v", "fast.py", cwd=tree).stderr
    assert "fast.py:6: fast: compiled by @numba.njit\n" in message


@pytest.mark.parametrize(
    ("arguments", "functions"),
    [
        ((), 5),
        (("--include-path", "shop/..."), 3),
        (("--include", "shop.store.Store.get"), 1),
        (("--include", "store.Store.*"), 2),
        (("--include", "Store._find"), 1),
        (("--include-path", "lib"), 1),
        (("--exclude-path", "*.pyw"), 4),
        (("--exclude-path", "shop.store"), 3),
        (("--exclude-path", "lib.sub"), 4),
        (("--exported-only",), 4),
        (("--min-lines", "3"), 0),
        (("--lambdas",), 6),
    ],
)
def test_filters(tree: Path, functrace: Run, arguments: tuple[str, ...], functions: int) -> None:
    inner = {"src/lib/__init__.py": "", "src/lib/sub/__init__.py": "", "src/lib/sub/x.py": SOURCE}
    mixed.make(tree, inner)
    done = functrace("inject", "--check", "--json", *arguments, ".", cwd=tree)
    assert json.loads(done.stdout)["function_count"] == functions


def test_settings(tree: Path, functrace: Run) -> None:
    def instrumented(**environment: str) -> int:
        done = functrace("inject", "--check", "--json", ".", cwd=tree, **environment)
        return int(json.loads(done.stdout)["function_count"])

    mixed.make(tree, {"ours.py": "from ours import jit\n\n\n@jit\ndef f(): return 1\n"})
    assert instrumented() == 5
    assert instrumented(FUNCTRACE_LAMBDAS="1") == 6
    (tree / "functrace.toml").write_text('compiled = ["ours.jit"]\nlambdas = true\n')
    assert instrumented() == 5
    assert instrumented(FUNCTRACE_LANGUAGE="go") == 0


def test_no_files_found(tree: Path, functrace: Run) -> None:
    go = functrace("inject", "--check", "--language", "go", "shop", cwd=tree)
    assert (go.returncode, "note: no Go files found" in go.stderr) == (1, True)
    (tree / "empty").mkdir()
    both = functrace("inject", "--check", "empty", cwd=tree)
    assert (both.returncode, "note: no Go or Python files found" in both.stderr) == (1, True)


def test_doctor_checks_the_languages_found(tree: Path, functrace: Run) -> None:
    def subjects() -> dict[str, str]:
        done = functrace("doctor", "--json", cwd=tree)
        return {
            finding["subject"]: finding["advice"] for finding in json.loads(done.stdout)["findings"]
        }

    found = subjects()
    assert {"Python", "runtime", "sources"} <= found.keys()
    assert "Go" not in found
    assert "pip install functrace-cli" in found["runtime"]
    (tree / "env/lib/python3.11/site-packages/functrace_cli-1.dist-info").mkdir()
    assert subjects()["runtime"] == ""
    mixed.make(tree, mixed.GO)
    assert {"Go", "module", "Python"} <= subjects().keys()


def test_doctor_reports_the_fallback_of_the_recorder(tree: Path, functrace: Run) -> None:
    line = "the fallback in Python records calls, slower than the recorder in C: FUNCTRACE_PURE"
    assert line in functrace("doctor", cwd=tree, FUNCTRACE_PURE="1").stdout
    assert line not in functrace("doctor", cwd=tree).stdout


def test_example_of_the_docs(tree: Path, functrace: Run) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "inject.md"
    example = page.read_text().split("```python\n")[1].split("```")[0]
    stripped = functrace("strip", "-", stdin=example, cwd=tree).stdout
    assert "functrace" not in stripped
    assert functrace("inject", "-", stdin=stripped, cwd=tree).stdout == example
