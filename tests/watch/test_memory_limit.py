"""Trees of files as Linux shows them, for a watcher and processes in and out of containers."""

from pathlib import Path

import pytest

from functrace.watch.memory_limit import memory_limit_bytes

MIB = 1 << 20
UNIFIED = "30 25 0:26 {root} {point} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
MEMORY = "36 25 0:32 {root} {point} rw,nosuid shared:9 - cgroup cgroup rw,memory"
OTHER = """37 25 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
22 1 8:1 / / rw - ext4 /dev/sda rw
"""


def put(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def mount(line: str, root: str = "/", point: str = "/sys/fs/cgroup") -> str:
    return OTHER + line.format(root=root, point=point) + "\n"


def test_version_2_has_the_lowest_limit_on_the_way_up(tmp_path: Path) -> None:
    files = {
        "proc/7/cgroup": "0::/system.slice/shop.service\n",
        "proc/self/mountinfo": mount(UNIFIED),
        "sys/fs/cgroup/cgroup.procs": "",
        "sys/fs/cgroup/system.slice/memory.max": f"{300 * MIB}\n",
        "sys/fs/cgroup/system.slice/shop.service/memory.max": "max\n",
    }
    assert memory_limit_bytes(7, put(tmp_path, files)) == 300 * MIB
    put(tmp_path, {"sys/fs/cgroup/system.slice/shop.service/memory.max": f"{64 * MIB}\n"})
    assert memory_limit_bytes(7, tmp_path) == 64 * MIB


def test_version_1_has_a_hierarchy_for_memory(tmp_path: Path) -> None:
    point = "/sys/fs/cgroup/memory"
    files = {
        "proc/7/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n1:name=systemd:/x\n0::/x\n",
        "proc/self/mountinfo": mount(MEMORY, point=point),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": f"{512 * MIB}\n",
    }
    assert memory_limit_bytes(7, put(tmp_path, files)) == 512 * MIB
    put(tmp_path, {"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": str((1 << 63) - 4096)})
    assert memory_limit_bytes(7, tmp_path) is None


def test_a_watcher_in_the_same_container(tmp_path: Path) -> None:
    """Without a namespace of cgroups, the mount shows the container's cgroup as its root."""
    files = {
        "proc/7/cgroup": "0::/docker/abc\n",
        "proc/self/mountinfo": mount(UNIFIED, root="/docker/abc"),
        "sys/fs/cgroup/memory.max": f"{100 * MIB}\n",
    }
    assert memory_limit_bytes(7, put(tmp_path, files)) == 100 * MIB


def test_a_process_in_another_container(tmp_path: Path) -> None:
    """The watcher's own mounts do not contain its cgroup; those of the process do."""
    files = {
        "proc/7/cgroup": "0::/docker/other\n",
        "proc/self/mountinfo": mount(UNIFIED, root="/docker/abc"),
        "sys/fs/cgroup/memory.max": f"{100 * MIB}\n",
        "proc/7/mountinfo": mount(UNIFIED, root="/docker/other", point="/sys/fs/my\\040cgroup"),
        "proc/7/root/sys/fs/my cgroup/memory.max": f"{200 * MIB}\n",
    }
    assert memory_limit_bytes(7, put(tmp_path, files)) == 200 * MIB


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/7/cgroup": "nonsense"},
        {"proc/7/cgroup": "0::/a\n"},
        {"proc/7/cgroup": "0::/a\n", "proc/self/mountinfo": "x\n - cgroup2\n1 2 - cgroup2 c rw\n"},
        {"proc/7/cgroup": "0::/../a\n", "proc/self/mountinfo": mount(UNIFIED), "sys/fs/a/b": ""},
        {
            "proc/7/cgroup": "0::/a\n",
            "proc/self/mountinfo": mount(UNIFIED),
            "sys/fs/cgroup/a/memory.max": "many\n",
        },
    ],
)
def test_what_cannot_be_read_is_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    assert memory_limit_bytes(7, put(tmp_path, files)) is None
