"""Time that functrace adds to the start of a Python program with many modules."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_MODULES = 500
_RUNS = 15

_MODULE = '''"""Part {number}."""

from __future__ import annotations


class Account:
    """Keeps a balance."""

    def __init__(self, owner: str, balance: int = 0) -> None:
        self.owner = owner
        self.balance = balance

    @property
    def is_empty(self) -> bool:
        return not self.balance

    def pay_in(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError(f"amount {{amount}}")
        self.balance += amount

    def pay_out(self, amount: int) -> int:
        if amount > self.balance:
            raise ValueError(f"{{self.owner}} has {{self.balance}}")
        self.balance -= amount
        return amount


def transfer(source: Account, target: Account, amount: int) -> None:
    """Move an amount."""
    target.pay_in(source.pay_out(amount))


def total(accounts: list[Account]) -> int:
    """Of all balances."""
    return sum(account.balance for account in accounts)
'''


def python_start() -> None:
    """Print the run time of a program that only imports many modules."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder)
        variables = {"FUNCTRACE_CACHE": str(folder / "cache")}
        records = {**variables, "FUNCTRACE": "record", "FUNCTRACE_OUT": str(folder / "%p.ftrace")}
        traced = ["-m", "functrace", "run", "main.py"]
        first, _ = _run(folder, traced, records)
        plain, recorded, printed = [], [], []
        for _ in range(_RUNS):  # alternating, since other load on the machine varies
            plain.append(_run(folder, ["main.py"], {}))
            recorded.append(_run(folder, traced, records))
            printed.append(_run(folder, traced, variables))
    print(f"the start of a program of {_MODULES} modules, {6 * _MODULES:,} functions: ms")
    _print_row("plain", *map(min, zip(*plain, strict=True)))
    print(f"  {'functrace run, the first time':36} {first * 1e3:8.1f}")
    _print_row("again, recorded", *map(min, zip(*recorded, strict=True)))
    _print_row("again, printed", *map(min, zip(*printed, strict=True)))
    empty, imported = _import_times()
    print(f"  {'import functrace, off':36} {(imported - empty) * 1e3:8.1f}")


def _write(folder: Path) -> None:
    package = folder / "parts"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for number in range(_MODULES):
        (package / f"part{number}.py").write_text(_MODULE.format(number=number))
    imports = "".join(f"import parts.part{number}\n" for number in range(_MODULES))
    (folder / "main.py").write_text(imports)


def _run(folder: Path, words: list[str], variables: dict[str, str]) -> tuple[float, float]:
    """Return seconds of wall time and of CPU time."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
    before, begin = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**kept, **variables},
        check=True,
        capture_output=True,
    )
    wall, after = time.perf_counter() - begin, os.times()
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


def _import_times() -> tuple[float, float]:
    """Return the seconds of an empty program, and of one that imports functrace."""
    here = Path.cwd()
    words = [["-c", "pass"], ["-c", "import functrace"]]
    empty, imported = (min(_run(here, each, {})[0] for _ in range(_RUNS)) for each in words)
    return empty, imported


def _print_row(what: str, wall: float, used: float) -> None:
    print(f"  {what:36} {wall * 1e3:8.1f}  of CPU time {used * 1e3:8.1f}")


if __name__ == "__main__":
    python_start()
