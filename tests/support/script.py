"""Runner of script tests in txtar archives: commands, followed by their input files.

Source: https://pkg.go.dev/github.com/rogpeppe/go-internal/testscript. A line is a command,
preceded by ``!`` if it must fail and by a condition in ``[]`` if it has one. Commands:

=====================  =========================================================
functrace, go, exec    run it; ``exec`` runs any program
needs PROGRAM ARGS     run it; if it fails, skip the test
stdout, stderr RE      the last run's output matches
cmp A B                two files are the same, or ``stdout`` and a file
grep RE FILE           the file matches
exists PATH            the file exists
cd, mkdir, chmod       as in a shell
env NAME=VALUE         for the following commands
same                   the plain ``go`` command gives the last run's standard
                       output and exit status
=====================  =========================================================
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Script:
    """Script that runs in the directory ``work``."""

    work: Path
    env: dict[str, str]
    conditions: dict[str, bool]
    cwd: Path = field(init=False)
    stdout: str = ""
    stderr: str = ""
    words: tuple[str, ...] = ()
    status: int = 0

    def __post_init__(self) -> None:
        self.cwd = self.work

    def run(self, text: str) -> None:
        for line in text.splitlines():
            if line and not line.startswith("#") and re.match(r"[a-z!\[]", line):
                self._run_line(line)

    def _run_line(self, line: str) -> None:
        while condition := re.match(r"\[(!?)(\S+)\]\s*", line):
            if self.conditions[condition[2]] == bool(condition[1]):
                return
            line = line[condition.end() :]
        should_succeed = not line.startswith("!")
        name, *words = shlex.split(self._expand(line.lstrip("! ")))
        done = getattr(self, f"do_{name}")(*words)
        assert done == should_succeed, (
            f"{line}\nstatus {self.status}\nstdout:\n{self.stdout}\nstderr:\n{self.stderr}"
        )

    def _expand(self, line: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda m: self.env.get(m[1], ""), line)

    def do_exec(self, *words: str) -> bool:
        run = subprocess.run(
            words, cwd=self.cwd, env=self.env, capture_output=True, text=True, check=False
        )
        self.stdout, self.stderr, self.status = run.stdout, run.stderr, run.returncode
        self.words = words
        return run.returncode == 0

    def do_needs(self, *words: str) -> bool:
        return self.do_exec(*words) or pytest.skip(f"{' '.join(words)}: {self.stderr.strip()}")

    def do_functrace(self, *words: str) -> bool:
        return self.do_exec("functrace", *words)

    def do_go(self, *words: str) -> bool:
        return self.do_exec("go", *words)

    def do_skip(self, *words: str) -> bool:
        pytest.skip(" ".join(words))

    def do_stdout(self, pattern: str) -> bool:
        return re.search(pattern, self.stdout, re.MULTILINE) is not None

    def do_stderr(self, pattern: str) -> bool:
        return re.search(pattern, self.stderr, re.MULTILINE) is not None

    def do_grep(self, pattern: str, path: str) -> bool:
        files = [self.cwd / path] if not any(c in path for c in "*?") else self.cwd.glob(path)
        texts = "".join(f.read_text(errors="replace") for f in files)
        return re.search(pattern, texts, re.MULTILINE) is not None

    def do_cmp(self, one: str, other: str) -> bool:
        text = self.stdout if one == "stdout" else (self.cwd / one).read_text()
        return text == (self.cwd / other).read_text()

    def do_exists(self, path: str) -> bool:
        return any(self.cwd.glob(path)) if "*" in path else (self.cwd / path).exists()

    def do_cd(self, path: str) -> bool:
        self.cwd = (self.cwd / path).resolve()
        return self.cwd.is_dir()

    def do_mkdir(self, path: str) -> bool:
        (self.cwd / path).mkdir(parents=True)
        return True

    def do_chmod(self, mode: str, *paths: str) -> bool:
        for path in paths:
            (self.cwd / path).chmod(int(mode, 8))
        return True

    def do_env(self, *pairs: str) -> bool:
        self.env.update(pair.split("=", 1) for pair in pairs)
        return True

    def do_same(self) -> bool:
        """Run the plain go command as the last traced one, and compare."""
        stdout, status = self.stdout, self.status
        words = self.words[self.words.index("go") :]
        self.do_exec(*words)
        return (_remove_times(stdout), status) == (_remove_times(self.stdout), self.status)


def _remove_times(text: str) -> str:
    return re.sub(r"\(?\b[\d.]+m?s\)?", "TIME", text)
