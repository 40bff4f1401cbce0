"""The built page of the viewer, as it is committed and as wheels contain it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "functrace" / "view" / "web"
DIST = WEB / "dist"


@pytest.mark.slow
def test_a_fresh_build_is_what_is_committed(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("requires Node and npm")
    copy = tmp_path / "web"
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    installed = subprocess.run(["npm", "ci"], cwd=copy, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip("npm's registry does not answer")
    subprocess.run(["npm", "run", "build"], cwd=copy, check=True)
    built = {path.name: path.read_bytes() for path in (copy / "dist").iterdir()}
    assert built == {path.name: path.read_bytes() for path in DIST.iterdir()}


def test_the_page_is_small() -> None:
    size = sum(len(gzip.compress(path.read_bytes())) for path in DIST.iterdir())
    assert size < 150_000


def test_the_page_has_no_inline_script_or_style() -> None:
    """The Content-Security-Policy would refuse it."""
    page = (DIST / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_packages_are_pinned_and_their_registry_is_not_named() -> None:
    package = json.loads((WEB / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in entry for entry in locked.values())
