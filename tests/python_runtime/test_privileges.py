"""A setuid program ignores the settings in the environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import functrace
from tests.python_runtime.conftest import HEAD, Runtime, environment

_NOBODY = 65534
_REASON = "the program has the rights of another user or group (setuid or setgid)"
_PROGRAM = """
@trace
def leaf(): pass
leaf()
try: functrace.start()
except RuntimeError as error: print(error)
leaf()
"""


@pytest.mark.skipif(
    not hasattr(os, "setresuid") or os.geteuid() != 0, reason="only root can have two users"
)
@pytest.mark.parametrize("kind", ["uid", "gid"])
@pytest.mark.parametrize("mode", ["record", "text", "off"])
def test_tracing_is_off(runtime: Runtime, tmp_path: Path, kind: str, mode: str) -> None:
    (tmp_path / "program.py").write_text(HEAD + _PROGRAM)
    change = os.setresuid if kind == "uid" else os.setresgid
    done = subprocess.run(
        [runtime.python.executable, "program.py"],
        cwd=tmp_path,
        env=environment(runtime, {"FUNCTRACE": mode, "FUNCTRACE_OUT": "out"}),
        preexec_fn=lambda: change(_NOBODY, 0, 0),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"functrace: {_REASON}\n"
    assert done.stderr == ("" if mode == "off" else f"functrace: {_REASON}; tracing is off\n")
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_daemon_that_changes_its_user_is_traced(runtime: Runtime, tmp_path: Path) -> None:
    """Only the rights at the start of the process matter."""
    if not hasattr(os, "setresuid") or os.geteuid() != 0:
        pytest.skip("only root can change its user")
    tmp_path.chmod(0o777)
    change = f"import os; os.seteuid({_NOBODY})\n"
    (tmp_path / "program.py").write_text(HEAD + change + "@trace\ndef leaf(): pass\nleaf()\n")
    done = subprocess.run(
        [runtime.python.executable, "program.py"],
        cwd=tmp_path,
        env=environment(runtime, {"FUNCTRACE": "text"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stderr, done.stdout.count("leaf")) == ("", 2)


@pytest.mark.skipif(
    not hasattr(os, "setresuid") or os.geteuid() != 0, reason="only root can have two users"
)
@pytest.mark.parametrize(("user", "is_hooked"), [(0, True), (_NOBODY, False)])
def test_hook_does_nothing(runtime: Runtime, user: int, is_hooked: bool) -> None:
    ask = "from importlib.machinery import SourceFileLoader as f; print(f.get_code.__module__)"
    variables = environment(runtime, {"FUNCTRACE_HOOK": "1"})
    start = Path(functrace.__file__).parent / "pyimport" / "start"
    done = subprocess.run(
        [runtime.python.executable, "-c", ask],
        env=variables | {"PYTHONPATH": f"{start}:{variables['PYTHONPATH']}"},
        preexec_fn=lambda: os.setresuid(user, 0, 0),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("functrace.pyimport") == is_hooked
