"""What is kept between runs, and for how long."""

from __future__ import annotations

import os
from pathlib import Path

from functrace.files.cache import Cache


def test_what_is_put_is_got(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    assert cache.get("ab12") is None
    cache.put("ab12", b"content")
    assert cache.get("ab12") == b"content"


def test_the_longest_unused_go_first(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    for age, key in enumerate(("aa1", "bb2", "cc3")):
        cache.put(key, b"x" * 100)
        os.utime(cache.path(key), (1_000_000 - age, 1_000_000 - age))
    cache.get("cc3")  # in use now
    cache.trim(limit=200)
    assert [cache.get(key) is not None for key in ("aa1", "bb2", "cc3")] == [True, False, True]
    cache.trim(limit=0)
    assert cache.get("aa1") is not None, "once a day is enough"
    cache.trim(limit=0, every=0)
    assert cache.get("aa1") is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(str(tmp_path / "file" / "x"))
    cache.put("ab", b"")
    cache.trim()
    assert cache.get("ab") is None
