"""functrace go, as far as it takes more than a script: see tests/scripts for the rest."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.support.toolchains import Go


def test_a_large_build_is_counted_by_several_processes(
    module: Path, functrace: Run, go: Go
) -> None:
    for n in range(12):
        functions = (f"func F{n}_{i}() int {{\n\treturn {i}\n}}\n\n" for i in range(2500))
        (module / "store" / f"f{n}.go").write_text("package store\n\n" + "".join(functions))
    assert sum(f.stat().st_size for f in module.rglob("*.go")) > 1_000_000
    path = {"PATH": f"{go.binaries}:/usr/bin:/bin", "GOTOOLCHAIN": "local"}
    done = functrace("go", "build", "./...", **path)
    assert done.returncode == 0
    assert "30,003 functions of 2 packages instrumented" in done.stderr
