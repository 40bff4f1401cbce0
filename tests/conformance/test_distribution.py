"""Conformance tests: packages of the Go distribution pass their own tests when traced."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import distribution
from tests.support.toolchains import Go

pytestmark = pytest.mark.slow

# encoding/json/v2 is included because it shares types with encoding/json.
PACKAGES = """
    archive/tar bufio compress/gzip compress/lzw container/heap container/list encoding/base64
    encoding/binary encoding/csv encoding/json encoding/json/jsontext encoding/xml errors flag
    go/ast go/doc go/parser go/printer go/scanner go/token html/template io log mime
    net/textproto regexp slices sort text/tabwriter text/template encoding/json/v2
""".split()
if os.environ.get("FUNCTRACE_CONFORMANCE") == "all":
    PACKAGES += """
        archive/zip compress/bzip2 compress/zlib container/ring context encoding/ascii85
        encoding/asn1 encoding/base32 encoding/hex expvar go/build/constraint go/constant
        go/doc/comment go/format go/importer go/version html image image/color image/draw image/gif
        image/png maps math/cmplx mime/multipart mime/quotedprintable net/mail net/rpc net/url
        regexp/syntax testing/quick text/scanner text/template/parse unicode/utf8
    """.split()

# Tests of behaviour that tracing changes, each with the reason.
DIFFERENT = {
    "encoding/json/jsontext.TestTokenStringAllocations": "counts on a function being inlined",
}

Results = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def module(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("distribution") / "std"
    there = [p for p in PACKAGES if (go.source / p).is_dir()]
    distribution.make(go.source, target, there, go.release)
    return target


def test_results_are_the_same(module: Path, go: Go, tmp_path: Path) -> None:
    paths = [f"./{p}" for p in PACKAGES if (module / p).is_dir()]
    plain = _results(module, go, ["go"], paths)
    calls = tmp_path / "calls"
    calls.mkdir()
    traced = _results(
        module,
        go,
        [sys.executable, "-m", "functrace", "go"],
        paths,
        FUNCTRACE_OUT=f"{calls}/%p.txt",
        FUNCTRACE_MAX_SIZE="50M",
        FUNCTRACE_CACHE=str(tmp_path / "cache"),
    )
    passed = {package for (package, test), result in plain.items() if test and result == "pass"}
    assert len(passed) >= 20
    differing = {
        f"{package}.{test}": (result, traced.get((package, test)))
        for (package, test), result in plain.items()
        if traced.get((package, test)) != result
    }
    excused = {*DIFFERENT, *(f"{name.partition('.')[0]}." for name in DIFFERENT)}
    assert differing.keys() <= excused, differing
    texts = [path.read_bytes() for path in calls.iterdir()]
    assert len(texts) >= len(passed)
    assert any(b"->example.com/std/text/template.(*Template).Execute\n" in text for text in texts)


def _results(module: Path, go: Go, command: list[str], paths: list[str], **env: str) -> Results:
    """Return every test's result by package and name."""
    run = subprocess.run(
        [*command, "test", "-vet=off", "-short", "-count=1", "-json", *paths],
        cwd=module,
        env={**go.environment(), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    events = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return {
        (e["Package"].removeprefix(f"{distribution.MODULE}/"), _name(e)): e["Action"]
        for e in events
        if e["Action"] in ("pass", "fail", "skip") and "Package" in e
    }


def _name(event: dict[str, str]) -> str:
    """Return a test's name without memory addresses; ``""`` for the package itself."""
    return re.sub(r"0x[0-9a-f]+", "0x", event.get("Test", ""))
