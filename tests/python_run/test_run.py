"""functrace run: what is traced, messages and exit status."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from functrace.pyimport import compilation, loader
from functrace.pyimport.config import Config
from functrace.tracefile import open_trace
from rewriter.errors import SkipFile
from tests.python_run.conftest import COMMAND, Project
from tests.support.waiting import PATIENCE, read_until

APP = """
import sys, lib

def main():
    return lib.work(2)

main()
"""
LIB = "def work(n):\n    return n and work(n - 1)\n"


@pytest.fixture
def app(project: Project) -> Project:
    project.write({"app.py": APP, "lib.py": LIB})
    return project


def names(printed: str) -> list[str]:
    """Return the functions that were entered."""
    return re.findall(r"^t\[\d+\]:\t+->(.*)$", printed, re.MULTILINE)


def test_text(app: Project) -> None:
    done = app.run("app.py")
    assert names(done.stdout) == ["__main__.main", "lib.work", "lib.work", "lib.work"]
    assert done.stderr == "functrace run: 2 functions of 2 modules instrumented\n"
    assert {p.name for p in app.root.iterdir()} == {"app.py", "lib.py"}, "it left something"


def test_summary_without_instrumented_functions(app: Project) -> None:
    done = app.run("--include", "nothing", "app.py")
    assert done.stderr == "functrace run: no function was instrumented, so nothing was traced\n"


def test_summary_excludes_children(app: Project) -> None:
    app.write({"start.py": "import subprocess, sys\nsubprocess.run([sys.executable, 'app.py'])\n"})
    done = app.run("--children", "start.py")
    assert "__main__.main" in names(done.stdout)
    assert done.stderr == "functrace run: no function was instrumented in this process\n"


def test_options_take_precedence_over_variables(app: Project) -> None:
    app.run("-q", "-o", "option.txt", "app.py", FUNCTRACE_OUT="variable.txt", FUNCTRACE="text")
    assert not (app.root / "variable.txt").exists()
    assert names((app.root / "option.txt").read_text())
    done = app.run("-q", "--depth", "1", "app.py", FUNCTRACE_DEPTH="2")
    assert names(done.stdout) == ["__main__.main"]


def test_record_takes_precedence_over_variables(app: Project) -> None:
    variables = {"FUNCTRACE": "off", "FUNCTRACE_OUT": "variable.ftrace"}
    app.run("--record", "-o", "option.ftrace", "app.py", **variables)
    assert sorted(path.name for path in app.root.glob("*.ftrace")) == ["option.ftrace"]


def test_text_to_a_file(app: Project) -> None:
    done = app.run("-q", "-o", "calls.txt", "app.py")
    assert (done.stdout, done.stderr) == ("", "")
    assert "->lib.work" in (app.root / "calls.txt").read_text()


def test_options_of_the_program_are_its_own(app: Project) -> None:
    app.write({"words.py": "import sys\ndef f(): return sys.argv[1:]\nprint(f())\n"})
    done = app.run("-q", "--depth", "3", "words.py", "-q", "--depth", "-m", FUNCTRACE="off")
    assert done.stdout == "['-q', '--depth', '-m']\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--include", "work"], ["lib.work"] * 3),
        (["--include-path", "lib"], ["lib.work"] * 3),
        (["--exclude-path", "lib.py"], ["__main__.main"]),
        (["--include", "lib.*"], ["lib.work"] * 3),
        (["--depth", "2"], ["__main__.main", "lib.work"]),
        (["--exclude", "main", "--min-lines", "2"], ["lib.work"] * 3),
    ],
)
def test_filters(app: Project, options: list[str], expected: list[str]) -> None:
    assert names(app.run(*options, "app.py").stdout) == expected


def test_lambdas(app: Project) -> None:
    app.write({"small.py": "f = lambda: 1\nf()\n"})
    assert names(app.run("small.py").stdout) == []
    assert names(app.run("--lambdas", "small.py").stdout) == ["__main__.<lambda>"]


def test_dependencies_and_the_standard_library(app: Project) -> None:
    app.write(
        {
            "venv/site-packages/dep/__init__.py": "import dep.inner\ndef call(): return 1\n",
            "venv/site-packages/dep/inner.py": "def deep(): return 1\ndeep()\n",
            "uses.py": "import sys; sys.path.append('venv/site-packages')\n"
            "import dep, colorsys\ndep.call(); colorsys.rgb_to_hls(0, 0, 1)\n",
        }
    )
    assert names(app.run("uses.py").stdout) == []
    assert names(app.run("--deps", "dep", "uses.py").stdout) == ["dep.inner.deep", "dep.call"]
    assert names(app.run("--deps", "d*.inner", "uses.py").stdout) == ["dep.inner.deep"]
    assert names(app.run("--deps", "colorsys", "uses.py").stdout) == ["colorsys.rgb_to_hls"]
    assert "colorsys.rgb_to_hls" in names(app.run("--std", "uses.py").stdout)


def test_record(app: Project) -> None:
    done = app.run("--record", "-o", "x.ftrace", "app.py")
    assert done.stdout == ""
    assert re.match(
        r"functrace run: 2 functions of 2 modules instrumented\n"
        r"functrace run: x\.ftrace: 1 trace, [0-9.]+ kB\n  4 calls in ",
        done.stderr,
    )
    output = app.execute([COMMAND, "callers", "work", "x.ftrace"])
    assert "__main__.main → lib.work (x1-3)" in output.stdout


def test_trace_contains_the_program(app: Project) -> None:
    app.run("--record", "-o", "x.ftrace", "app.py", "a b")
    process = open_trace(app.root / "x.ftrace").process
    assert process["argv"][1:] == ["app.py", "a b"]
    assert process["build"]["main"] == str(app.root / "app.py")
    app.run("--record", "-o", "m.ftrace", "-m", "app")
    assert open_trace(app.root / "m.ftrace").process["build"]["main"] == "app"
    app.write({"folder/__main__.py": "import lib; lib.work(0)", "folder/lib.py": LIB})
    app.run("--record", "-o", "folder.ftrace", "folder")
    assert open_trace(app.root / "folder.ftrace").process["build"]["main"] == "folder"


def test_closed_output_pipe(app: Project) -> None:
    piped = ["sh", "-c", '"$@" | head -n 1', "sh", COMMAND, "run", "-q", "app.py"]
    app.write({"app.py": "import lib\nfor _ in range(5000): lib.work(0)\n"})
    done = app.execute(piped)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_closed_standard_output_is_not_written_to_other_files(app: Project) -> None:
    program = "import lib\nfile = open('x.txt', 'w')\nlib.work(0)\nfile.write('mine')\n"
    app.write({"app.py": program})
    done = app.execute(["sh", "-c", '"$@" >&-', "sh", COMMAND, "run", "-q", "app.py"])
    assert done.stderr == "functrace: FUNCTRACE_OUT: stdout: it is closed; tracing is off\n"
    assert (app.root / "x.txt").read_text() == "mine"


def test_missing_file(app: Project) -> None:
    said = "functrace: {}: no such file; did you mean `functrace run {}`?\n"
    for words, meant in (["nothing", "x"], "-m nothing"), (["python", "app.py"], "app.py"):
        done = app.run(*words)
        assert (done.returncode, done.stderr) == (2, said.format(words[0], meant))


def test_standard_input_with_a_syntax_error(app: Project) -> None:
    """Python reports the error itself and must be able to read the input."""
    for source in ("x = = 1\n", "def f():\n    return\n\xa0\n"):
        own, done = app.python("-", stdin=source), app.run("-", stdin=source)
        assert "SyntaxError" in own.stderr
        assert (done.returncode, done.stdout, done.stderr) == (1, "", own.stderr)


@pytest.mark.parametrize(("source", "status"), [("x = = 1", 1), ("print(42)", 0)])
def test_program_read_from_a_pipe(app: Project, source: str, status: int) -> None:
    """As in ``functrace run <(echo ...)``: a pipe can be read only once."""
    shell = ["sh", "-c", f'echo "{source}" | "$@" /dev/fd/0', "sh"]
    own, done = app.execute([*shell, sys.executable]), app.execute([*shell, COMMAND, "run", "-q"])
    assert (own.returncode, own.stdout, own.stderr) == (status, done.stdout, done.stderr)
    assert done.returncode == status


def test_warning_that_is_an_error_in_standard_input(app: Project) -> None:
    words, source = ("-W", "error", "-"), "def f():\n    return 1 is 1\nprint(f())\n"
    own, done = app.python(*words, stdin=source), app.run(*words, stdin=source)
    assert "SyntaxError" in own.stderr
    assert (done.returncode, done.stdout, done.stderr) == (1, "", own.stderr)


@pytest.mark.parametrize(
    ("options", "source", "status"),
    [([], "x = = 1", 1), (["-W", "error"], "x = 1 is 1", 1), ([], "print(42)", 0)],
)
def test_program_read_from_a_named_pipe(
    app: Project, options: list[str], source: str, status: int
) -> None:
    own = app.python(*options, "-c", source)
    script = f'mkfifo named; echo "{source}" > named & "$@" named; found=$?; wait; exit $found'
    shell = ["sh", "-c", script, "sh"]
    done = app.execute([*shell, COMMAND, "run", "-q", *options])
    assert (own.returncode, own.stdout) == (status, done.stdout)
    assert done.returncode == status
    assert own.stderr.splitlines()[-1:] == done.stderr.splitlines()[-1:]


def test_code_that_is_not_utf8(app: Project) -> None:
    words = ["-c", "print(1)\udcff"]
    own, done = app.python(*words), app.run(*words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", own.stderr)


def test_record_around_run(app: Project) -> None:
    done = app.execute([COMMAND, "record", "-o", "x.ftrace", "--", COMMAND, "run", "app.py"])
    assert "4 calls in" in done.stderr


def test_mode_from_the_environment(app: Project) -> None:
    app.run("app.py", FUNCTRACE="record", FUNCTRACE_OUT="x.ftrace")
    assert (app.root / "x.ftrace").exists()


def test_overwrite_requires_record(app: Project) -> None:
    done = app.run("--overwrite", "app.py")
    assert (done.returncode, done.stderr) == (2, "functrace: --overwrite requires --record\n")


@pytest.mark.parametrize("record", [[], ["--record"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals(app: Project, record: list[str], number: signal.Signals) -> None:
    """Signals reach the program, and functrace ends as the program does."""
    app.write(
        {
            "waits.py": "import time\ndef f():\n    print('ready', flush=True)\n"
            "    time.sleep(60)\nf()\n"
        }
    )
    process = subprocess.Popen(
        [COMMAND, "run", *record, "waits.py"],
        cwd=app.root,
        env=app.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    read_until(process.stdout, "ready")
    if number == signal.SIGKILL and record:
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), number)  # cannot be forwarded
    else:
        os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -number
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)


def test_program_with_its_own_rewriter_package(app: Project) -> None:
    app.write(
        {
            "rewriter/__init__.py": "from rewriter.python import mine\ndef ours(): return mine()\n",
            "rewriter/python.py": "def mine(): return 'mine'\n",
            "uses.py": "import rewriter, lib, sys\nprint(rewriter.ours())\n"
            "print([m for m in sorted(sys.modules) if m[:5] in ('rewri', 'libcs', 'click')])\n",
        }
    )
    done = app.run("-q", "uses.py")
    assert "mine\n['rewriter', 'rewriter.python']\n" in re.sub(
        r"^t\[.*\n", "", done.stdout, flags=re.MULTILINE
    )
    assert "rewriter.ours" in names(done.stdout)


def test_changed_source_is_instrumented_again(app: Project) -> None:
    app.run("app.py")
    app.write({"lib.py": "def work(n):\n    return other()\n\ndef other():\n    return 1\n"})
    assert names(app.run("app.py").stdout) == ["__main__.main", "lib.work", "lib.other"]


def test_cache_variable_names_a_file(app: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = app.run("app.py", FUNCTRACE_CACHE=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert names(done.stdout) == ["__main__.main", "lib.work", "lib.work", "lib.work"]
    (folder,) = tmp_path.glob("functrace-*")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_full_disk(app: Project, tmp_path: Path) -> None:
    """The program runs, and a message states why it is not traced."""
    command = ["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', COMMAND, "run"]
    app.cache = tmp_path / "cache"
    (app.cache / "python").mkdir(0o700, parents=True)
    app.write({"prints.py": "print(42)"})
    for words in (["prints.py"], ["-c", "print(42)"]):
        done = app.execute([*command, *words])
        assert (done.returncode, done.stdout) == (0, "42\n")
        assert done.stderr == (
            "functrace: the program is not traced: cannot write its main module to "
            f"{app.cache}/python; choose another directory with FUNCTRACE_CACHE\n"
        )


def test_full_disk_disables_the_cache(app: Project, tmp_path: Path) -> None:
    app.cache = tmp_path / "cache"
    command = ["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', COMMAND, "run", "app.py"]
    said = app.execute(command, TMPDIR=str(app.root)).stderr.splitlines()[0]
    private = f"{app.root}/functrace-{os.geteuid()}/python"
    assert said == (
        f"functrace: caching is disabled: {app.cache}/python: File too large; "
        f"{private}: File too large"
    )


def test_damaged_cache_file_is_rewritten(app: Project, tmp_path: Path) -> None:
    cache = {"FUNCTRACE_CACHE": str(tmp_path / "broken")}
    app.run("app.py", **cache)
    for file in (tmp_path / "broken").rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            file.write_bytes(file.read_bytes()[:40])
    assert "lib.work" in names(app.run("app.py", **cache).stdout)


def test_program_that_closes_all_descriptors(app: Project) -> None:
    """The compile server's socket is closed, and its descriptor number is reused."""
    app.write(
        {
            "closes.py": "import os, lib\nos.closerange(3, 100)\n"
            "files = [open(f'file{i}', 'w') for i in range(9)]\n"
            "import late\nlate.f()\nprint([f.tell() for f in files])\n",
            "late.py": "def f(): return 1\n",
        }
    )
    done = app.run("-q", "closes.py")
    assert names(done.stdout) == ["late.f"]
    assert done.stdout.endswith("[0, 0, 0, 0, 0, 0, 0, 0, 0]\n")
    assert {(app.root / f"file{i}").read_text() for i in range(9)} == {""}


def test_program_gets_no_extra_child(app: Project) -> None:
    app.write(
        {
            "waits.py": "import os, lib\n"
            "try: print(os.wait())\nexcept ChildProcessError: print('none')\n"
        }
    )
    assert app.run("-q", "waits.py", FUNCTRACE="off").stdout == "none\n"


def test_custom_loader_is_not_replaced(app: Project) -> None:
    app.write(
        {
            "loads.py": "import importlib.machinery, importlib.util\n"
            "class Mine(importlib.machinery.SourceFileLoader):\n"
            "    def source_to_code(self, data, path, **_):  # functrace: skip\n"
            "        return compile(data + b'\\nx = 1', path, 'exec')\n"
            "for kind in (Mine, None):\n"
            "    loader = kind and kind('lib', 'lib.py')\n"
            "    spec = importlib.util.spec_from_file_location('lib', 'lib.py', loader=loader)\n"
            "    module = importlib.util.module_from_spec(spec)\n"
            "    spec.loader.exec_module(module)\n"
            "    module.work(0); print(hasattr(module, 'x'))\n"
        }
    )
    assert app.run("-q", "loads.py").stdout == (
        "True\nt[01]:\t->lib.work\nt[01]:\t<-lib.work\nFalse\n"
    )


def test_skipped_modules_are_reported(app: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> ast.Module:
        raise SkipFile("the reason")

    monkeypatch.setattr(compilation, "instrument_tree", lambda source, *_: ast.parse(source))
    monkeypatch.setattr(compilation, "classify", fail)
    messages: list[str] = []
    monkeypatch.setattr(loader, "write_message", messages.append)
    config = Config(cache=str(app.cache), root=str(app.root))
    hook = loader.Hook(config, 0)
    monkeypatch.setattr(
        hook.compiler, "request", lambda *words: compilation.handle((config.text(), *words))
    )
    file = str(app.root / "lib.py")
    code = hook.code(SourceFileLoader("lib", file), "lib", file)
    assert code is not None
    assert code.co_filename == file
    assert messages == [f"{file} is not traced: the reason"]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("3 8", "{} is Python 3.8; 3.10 or newer is required"),
        ("", "cannot run {} as a Python interpreter"),
        ("Usage: x", "cannot run {} as a Python interpreter"),
    ],
)
def test_another_interpreter_must_be_new_enough(
    app: Project, tmp_path: Path, printed: str, expected: str
) -> None:
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\necho {printed}\n")
    other.chmod(0o755)
    for name in (str(other), os.path.relpath(other, app.root)):
        done = app.run("--python", name, "app.py")
        assert done.returncode == 1
        assert done.stderr == f"functrace: {expected.format(other)}\n"


def test_interpreter_is_searched_on_path(app: Project, tmp_path: Path) -> None:
    (tmp_path / "bin" / "py").mkdir(parents=True)
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "py").write_text("no program")
    path = os.pathsep.join([str(tmp_path / "bin"), str(tmp_path / "python"), os.environ["PATH"]])
    done = app.run("--python", "py", "app.py", PATH=path)
    assert (done.returncode, done.stderr) == (
        1,
        "functrace: py: no such Python; choose one with --python\n",
    )
    (tmp_path / "python" / "py").unlink()
    (tmp_path / "python" / "py").symlink_to(sys.executable)
    assert names(app.run("--python", "py", "app.py", PATH=path).stdout)[0] == "__main__.main"


def test_unused_active_environment_is_reported(app: Project, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    output = app.run("app.py", VIRTUAL_ENV=other).stderr.splitlines()[0]
    own_python, rest = output.removeprefix("functrace run: using ").split(", ")
    assert Path(own_python).samefile(sys.executable)
    assert rest == f"not the active environment {other}; --python selects another"
    assert app.run("-q", "app.py", VIRTUAL_ENV=other).stderr == ""
    named = app.run("--python", sys.executable, "app.py", VIRTUAL_ENV=other)
    own = app.run("app.py", VIRTUAL_ENV=sys.prefix)
    assert "active" not in named.stderr + own.stderr


PREFIX = "import sys, lib; print(sys.prefix); lib.work(0)"


def test_program_environment_without_functrace(app: Project) -> None:
    """The interpreter of the program's environment does not have functrace installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", app.root / "env"], check=True)
    python = str(app.root / "env" / "bin" / "python")
    done = app.run("-q", "--python", python, "-c", PREFIX)
    assert done.stdout.startswith(f"{app.root / 'env'}\n")
    assert names(done.stdout) == ["lib.work"]


@pytest.mark.parametrize("file", ["functrace.py", "functrace/__init__.py"])
def test_hidden_functrace_package_is_reported(app: Project, file: str) -> None:
    app.write({file: ""})
    said = (
        f"functrace: {app.root / file} is hidden: "
        "a traced program imports the tracer's functrace instead\n"
    )
    for words in (["app.py"], ["-m", "app"], ["-c", "import lib; lib.work(0)"]):
        done = app.run(*words)
        assert names(done.stdout)[-1] == "lib.work"
        assert done.stderr.startswith(said)
    assert app.run("-q", "app.py").stderr == ""


def test_installed_functrace_is_not_reported(app: Project) -> None:
    app.write({"functrace/__init__.py": "", "functrace/pyimport/boot.py": ""})
    assert "another" not in app.run("app.py").stderr


def test_start_with_a_full_cache(app: Project) -> None:
    """With a full cache nothing is compiled and no process is started."""
    app.write({"sees.py": "import sys, lib\nprint('_socket' in sys.modules)\n"})
    assert app.run("-q", "sees.py", FUNCTRACE="off").stdout == "True\n"
    assert app.run("-q", "sees.py", FUNCTRACE="off").stdout == "False\n"
