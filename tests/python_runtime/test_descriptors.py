"""No data of functrace reaches the program's files, or vice versa, if descriptors are reused."""

from __future__ import annotations

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from functrace.runtime import descriptors
from tests.python_runtime.conftest import HEAD, Runner, Runtime, environment
from tests.support.waiting import PATIENCE

_CALLS = """
    import os, sys

    @trace
    def f(): pass

    f()
"""
# Every number that functrace could have is the program's file's by now.
_CLOSE_ALL = """
    os.closerange(3, 300)
    own = os.open("own.dat", os.O_RDWR | os.O_CREAT)
    for number in range(own + 1, 300):
        os.dup2(own, number)
    os.write(own, b"own data")
"""
_DUPLICATE_OVER = """
    own = os.open("own.dat", os.O_RDWR | os.O_CREAT)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            os.dup2(own, int(name))
    os.write(own, b"own data")
"""
_TEN_THOUSAND = """
    for _ in range(10_000): f()
"""


def _shell(runtime: Runtime, folder: Path, program: str, words: str, **variables: str) -> str:
    """Run a program by a shell, as ``exec python program.py WORDS``; return standard error."""
    (folder / "program.py").write_text(HEAD + textwrap.dedent(program))
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" program.py {words}', runtime.python.executable],
        cwd=folder,
        env=environment(runtime, {"FUNCTRACE": "text", **variables}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("take", [_CLOSE_ALL, _DUPLICATE_OVER], ids=["closes", "duplicates"])
@pytest.mark.parametrize("mode", ["text", "record"])
def test_descriptor_numbers_reused_by_the_program(run: Runner, mode: str, take: str) -> None:
    out = {"text": "calls.txt", "record": "x.ftrace"}[mode]
    result = run(_CALLS + take + _TEN_THOUSAND, FUNCTRACE=mode, FUNCTRACE_OUT=out)
    assert (result.folder / "own.dat").read_text() == "own data"
    assert result.stderr == ""
    if mode == "text":
        assert (result.folder / out).read_text().count("->__main__.f\n") == 10_001
    else:
        assert result.trace.tracks[0].events.count("> f") == 10_001


@pytest.mark.parametrize("instead", ["os.unlink(name)", "os.rename('own.dat', name)"])
@pytest.mark.parametrize("mode", ["text", "record"])
def test_unreachable_file(run: Runner, mode: str, instead: str) -> None:
    result = run(
        f"{_CALLS} {_CLOSE_ALL}\n    name = 'out'\n    {instead}\n {_TEN_THOUSAND} {_TEN_THOUSAND}"
        '\n    sys.stdout.write("done")',
        FUNCTRACE=mode,
        FUNCTRACE_OUT="out",
    )
    own = result.folder / ("own.dat" if "unlink" in instead else "out")
    assert own.read_text() == "own data"
    assert result.stdout == "done"
    assert result.stderr.startswith("functrace: cannot write")
    assert result.stderr.endswith("tracing is off\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("take", ["os.close(1); os.dup(own)", "os.dup2(own, 1)"])
def test_replaced_standard_output(run: Runner, take: str) -> None:
    result = run(
        f"""{_CALLS}
    own = os.open("own.dat", os.O_RDWR | os.O_CREAT)
    saved = os.dup(1)
    {take}
    f()
    os.write(1, b"own data")
    os.dup2(saved, 1)
    f()
    """,
        FUNCTRACE="text",
    )
    assert (result.folder / "own.dat").read_text() == "own data"
    assert result.stdout.count("->__main__.f\n") == 2
    assert result.stderr == (
        "functrace: the program replaced stdout: calls are not printed until it is restored\n"
        "functrace: 2 lines were not printed: the program had replaced stdout\n"
    )


def test_no_message_is_written_to_a_program_file(run: Runner) -> None:
    result = run(
        f"""{_CALLS}
    own = os.open("own.dat", os.O_RDWR | os.O_CREAT)
    for number in (0, 1, 2):
        os.dup2(own, number)
    f()
    os.write(2, b"own data")
    """,
        FUNCTRACE="text",
    )
    assert (result.folder / "own.dat").read_text() == "own data"
    assert result.stdout.count("->__main__.f\n") == 1


@pytest.mark.parametrize("variables", [{"FUNCTRACE": "record"}, {"FUNCTRACE_OUT": "calls.txt"}, {}])
def test_streams_closed_at_the_start(
    runtime: Runtime, tmp_path: Path, variables: dict[str, str]
) -> None:
    program = """
        import os
        own = [os.open(f"own-{n}", os.O_RDWR | os.O_CREAT) for n in range(3)]

        @trace
        def f(): pass

        for _ in range(10_000): f()
        for number in own:
            os.write(number, b"own data")
        assert own == [0, 1, 2]
    """
    _shell(runtime, tmp_path, program, "<&- >&- 2>&-", **variables)
    assert [(tmp_path / f"own-{n}").read_text() for n in range(3)] == ["own data"] * 3
    if "FUNCTRACE_OUT" in variables:
        assert (tmp_path / "calls.txt").read_text().count("->__main__.f\n") == 10_000


@pytest.mark.parametrize("out", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link", "out.txt"])
def test_path_of_standard_output(runtime: Runtime, tmp_path: Path, out: str) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    program = """
        @trace
        def f(n):
            print("line", n)

        for n in range(3): f(n)
    """
    said = _shell(runtime, tmp_path, program, "> out.txt", FUNCTRACE_OUT=out)
    enter, leave = "t[01]:\t->__main__.f\n", "t[01]:\t<-__main__.f\n"
    expected = "".join(f"{enter}line {n}\n{leave}" for n in range(3))
    assert ((tmp_path / "out.txt").read_text(), said) == (expected, "")


def test_other_streams_by_their_paths(runtime: Runtime, tmp_path: Path) -> None:
    said = _shell(runtime, tmp_path, _CALLS, "7> out.txt", FUNCTRACE_OUT="/dev/fd/7")
    assert said == ""
    assert (tmp_path / "out.txt").read_text().count("->__main__.f\n") == 1
    said = _shell(runtime, tmp_path, _CALLS, "", FUNCTRACE_OUT="/dev/fd/7")
    assert said == "functrace: FUNCTRACE_OUT: /dev/fd/7: it is closed; tracing is off\n"
    said = _shell(runtime, tmp_path, _CALLS, "> out.txt", FUNCTRACE_OUT="/dev/stderr")
    assert said.count("->__main__.f\n") == 1
    said = _shell(runtime, tmp_path, _CALLS, "", FUNCTRACE_OUT="/dev/null")
    assert said == ""


@pytest.mark.parametrize("mode", ["text", "record"])
@pytest.mark.parametrize("out", ["new/and/deep/x-%p", "new/%p/x"])
def test_missing_folders_are_created(run: Runner, mode: str, out: str) -> None:
    result = run(_CALLS, FUNCTRACE=mode, FUNCTRACE_OUT=out)
    (file,) = (path for path in (result.folder / "new").rglob("x*") if path.is_file())
    assert file.stat().st_size > 0
    assert result.stderr == ""


def test_new_folder_for_traces(run: Runner) -> None:
    result = run(_CALLS, FUNCTRACE_OUT="new/")
    (file,) = (result.folder / "new").iterdir()
    assert file.name.startswith("functrace-")


@pytest.mark.parametrize("mode", ["text", "record"])
def test_captured_message_is_repeated(run: Runner, mode: str) -> None:
    """As in pytest, the streams are nameless temporary files while modules load."""
    result = run(
        """
        import os, tempfile
        saved = os.dup(2)
        captured = tempfile.TemporaryFile()
        os.dup2(captured.fileno(), 2)
        @trace
        def f(): pass
        f()
        os.dup2(saved, 2)
        captured.seek(0)
        print(captured.read())
        """,
        FUNCTRACE=mode,
        FUNCTRACE_OUT="program.py/x",
    )
    message = "functrace: FUNCTRACE_OUT: program.py: File exists; tracing is off\n"
    assert result.stderr == message
    assert result.stdout in (f"{message.encode()}\n", "b''\n")


def test_forked_child_in_another_folder(run: Runner) -> None:
    result = run(
        f"""{_CALLS}
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    if not os.fork():
        f()
        os._exit(0)
    os.wait()
    """,
        FUNCTRACE_OUT="%p.ftrace",
    )
    assert len(result.traces) == 2


def test_unlimited_number_of_descriptors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on macOS after ``ulimit -n unlimited``; Linux always has a limit."""
    monkeypatch.setattr(descriptors.os, "sysconf", lambda _: -1)
    file = descriptors.OwnFile(str(tmp_path / "x"), os.O_RDWR | os.O_CREAT)
    assert file.number() >= 100
    file.close()


def test_full_pipe_with_a_high_descriptor_number(run: Runner) -> None:
    result = run(
        """
        import os, resource, select, threading

        resource.setrlimit(resource.RLIMIT_NOFILE, (2100, 2100))
        reading, writing = os.pipe()
        os.dup2(writing, 2000)
        os.set_blocking(2000, False)

        def read():
            room = select.poll()
            room.register(2000, select.POLLOUT)
            while room.poll(0): pass
            while os.read(reading, 1 << 16): pass

        threading.Thread(target=read, daemon=True).start()

        @trace
        def f(): pass

        for _ in range(5_000): f()
        print("done")
        """,
        FUNCTRACE="text",
        FUNCTRACE_OUT="/dev/fd/2000",
    )
    assert (result.stdout, result.stderr) == ("done\n", "")
