"""The rings of programs in both languages: their names, folder, number and size."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from functrace.tracefile import open_trace
from functrace.tracefile.rings import find_rings
from tests.rings.conftest import Program, Start, end
from tests.support.waiting import PATIENCE, read_until
from tests.tracefile import writer as w

_NOBODY = 65534


def _start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _rings(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_name_identifies_the_process(start: Start, folder: Path) -> None:
    process = start("wait")
    ticks = _start_ticks(process.pid)
    assert _rings(folder) == [f"shop-{process.pid}-{ticks}.ftrace"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / _rings(folder)[0]).stat().st_mode & 0o777 == 0o600
    (ring,) = find_rings("shop")
    assert (ring.program, ring.pid, ring.start, ring.is_running) == (
        "shop",
        process.pid,
        ticks,
        True,
    )
    assert end(process) == ""
    (ring,) = find_rings(str(process.pid))
    assert not ring.is_running
    trace = open_trace(ring.path)
    assert trace.overwritten
    assert trace.events >= 6


def test_a_program_that_replaces_itself_has_two_rings(start: Start, folder: Path) -> None:
    process = start("exec")
    name = f"shop-{process.pid}-{_start_ticks(process.pid)}"
    assert _rings(folder) == [f"{name}.2.ftrace", f"{name}.ftrace"]
    (ring,) = find_rings(str(process.pid))
    assert ring.path.name == f"{name}.2.ftrace"
    # The first one is that of a program that has ended.
    start("wait", FUNCTRACE_RING_KEEP="0")
    assert f"{name}.ftrace" not in _rings(folder)
    assert f"{name}.2.ftrace" in _rings(folder)


def test_old_rings_are_removed_and_living_ones_stay(start: Start, folder: Path) -> None:
    living = start("wait")
    dead = [start("wait") for _ in range(3)]
    for process in dead:
        end(process)
    # The id of a process that has ended belongs to another one now.
    reused = folder / f"shop-{os.getpid()}-1.ftrace"
    reused.write_bytes(b"")
    last = start("wait", FUNCTRACE_RING_KEEP="2")
    pids = [int(name.split("-")[1]) for name in _rings(folder)]
    assert sorted(pids) == sorted([living.pid, dead[1].pid, dead[2].pid, last.pid])


def test_old_rings_are_limited_in_size(start: Start, folder: Path) -> None:
    dead = [start("wait") for _ in range(2)]
    for process in dead:
        end(process)
    last = start("wait", FUNCTRACE_RING_KEEP_SIZE="1K")
    assert [name.split("-")[1] for name in _rings(folder)] == [str(last.pid)]


@pytest.mark.parametrize("plant", ["link", "file", "mode", "owner"])
def test_a_folder_of_somebody_else_is_refused(
    program: Program, folder: Path, plant: str, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if plant == "link":
        folder.symlink_to(elsewhere)
    elif plant == "file":
        folder.write_text("")
    else:
        folder.mkdir(mode=0o700)
    if plant == "mode":
        folder.chmod(0o770)
    elif plant == "owner":
        if os.geteuid():
            pytest.skip("only root can give a folder away")
        os.chown(folder, _NOBODY, _NOBODY)
    done = subprocess.run(
        [*program.command, "wait"],
        env=program.environment_with(FUNCTRACE_RING_DIR=str(folder)),
        capture_output=True,
        input="",
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "ready\n")
    reason = {
        "link": "is not a folder; remove it, or set FUNCTRACE_RING_DIR",
        "file": "is not a folder; remove it, or set FUNCTRACE_RING_DIR",
        "mode": "is open to other users; set its mode to 0700",
        "owner": "belongs to another user; set FUNCTRACE_RING_DIR to a folder of your own",
    }[plant]
    expected = f"functrace: FUNCTRACE=ring: {folder} {reason}; tracing is off\n"
    assert done.stderr == expected
    assert not list(elsewhere.iterdir())


def test_a_forked_child_has_its_own_ring(start: Start, folder: Path, program: Program) -> None:
    if "PYTHONPATH" not in program.environment:
        pytest.skip("Go programs do not fork")
    process = start("fork")
    read_until(process.stdout, "ready")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    names = [f"shop-{pid}-{_start_ticks(pid)}.ftrace" for pid in (process.pid, int(child))]
    assert _rings(folder) == sorted(names)
    assert len(find_rings("shop")) == 2
    os.kill(process.pid, 9)
    os.waitpid(process.pid, 0)
    (ring,) = find_rings("shop")  # the child, which inherited a descriptor of its parent's ring
    assert ring.pid == int(child)


# Runs a program in a mount namespace with a small /dev/shm.
_IN_SMALL_MEMORY = "mount -t tmpfs -o size=$SIZE,mode=1777 tmpfs /dev/shm && {prepare} && {run}"


def _in_small_memory(program: Program, size: str, prepare: str = "true") -> tuple[str, str]:
    """Run the program there, which ends itself, and return its messages and the rings."""
    run = 'printf "" | "$@" >&2; ls -l /dev/shm/functrace-*'
    script = _IN_SMALL_MEMORY.format(prepare=prepare, run=run)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *program.command, "wait"],
        env=program.environment_with(SIZE=size),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("mount namespaces are not permitted here")
    return done.stderr, done.stdout


def test_two_users_have_folders_of_their_own(shop: Path) -> None:
    """Where another user owns the folder of one, its program runs untraced."""
    other = f"setpriv --reuid {_NOBODY} --regid {_NOBODY} --clear-groups"
    script = f"""
        mount -t tmpfs -o size=256M,mode=1777 tmpfs /dev/shm && cp {shop} /dev/shm/shop || exit
        {other} true || exit
        /dev/shm/shop wait </dev/null
        {other} /dev/shm/shop wait </dev/null
        stat -c "%u %a %n" /dev/shm/functrace-*
        mv /dev/shm/functrace-{_NOBODY} /dev/shm/away
        mkdir -m 700 /dev/shm/functrace-{_NOBODY}
        {other} /dev/shm/shop wait </dev/null
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FUNCTRACE")}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        env={**kept, "FUNCTRACE": "ring"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if re.match("unshare|mount|setpriv", done.stderr):
        pytest.skip("mount namespaces or other users are not permitted here")
    assert done.stdout.splitlines() == [
        "ready",
        "ready",
        f"{os.geteuid()} 700 /dev/shm/functrace-{os.geteuid()}",
        f"{_NOBODY} 700 /dev/shm/functrace-{_NOBODY}",
        "ready",
    ]
    assert done.stderr == (
        f"functrace: FUNCTRACE=ring: /dev/shm/functrace-{_NOBODY} belongs to another user; "
        "set FUNCTRACE_RING_DIR to a folder of your own; tracing is off\n"
    )


def test_a_container_with_little_shared_memory(program: Program) -> None:
    stderr, rings = _in_small_memory(program, "64M")
    assert stderr == (
        "functrace: FUNCTRACE=ring: the ring has 32768 KB instead of 65536 KB: half of the space "
        f"that is free in /dev/shm/functrace-{os.geteuid()}\nready\n"
    )
    assert re.search(r"shop-\d+-\d+\.ftrace", rings)


def test_a_container_without_shared_memory(program: Program) -> None:
    stderr, rings = _in_small_memory(program, "512K")
    assert stderr == (
        f"functrace: FUNCTRACE=ring: /dev/shm/functrace-{os.geteuid()} has too little space for a "
        "ring: 512 KB are free; set FUNCTRACE_RING_DIR to another folder; tracing is off\nready\n"
    )
    assert "shop" not in rings


def test_rings_of_crashes_make_room_for_a_new_one(program: Program, tmp_path: Path) -> None:
    folder = f"/dev/shm/functrace-{os.geteuid()}"
    for day in (1, 2):
        old = w.header(started=day * 86_400_000_000_000).ljust(20 << 20, b"\0")
        (tmp_path / f"old-{day}-1.ftrace").write_bytes(old)
    prepare = f"mkdir -m 700 {folder} && cp {tmp_path}/old-* {folder}"
    stderr, rings = _in_small_memory(program, "64M", prepare)
    assert "the ring has 22528 KB instead of 65536 KB" in stderr
    assert "old-2-1" in rings
    assert "old-1-1" not in rings
