"""Conformance tests: CPython's own tests have the same results with a traced standard library."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from functrace.tracefile import open_trace
from tests.conformance import library
from tests.support.pythons import CannotBuildError, Python, each_python

pytestmark = pytest.mark.slow

_ALL = os.environ.get("FUNCTRACE_CONFORMANCE") == "all"
_RUNNER = Path(__file__).with_name("results.py")

# Run in one process.
PART = """
    test_abc test_asyncgen test_asyncio.test_tasks test_asyncio.test_queues test_bisect
    test_contextlib test_contextlib_async test_copy test_coroutines test_dataclasses test_enum
    test_functools test_generators test_heapq test_html test_reprlib test_shlex test_textwrap
    test_typing test_weakset test_yield_from
""".split()
# Each run in a separate process.
MORE = """
    test_argparse test_ast test_asyncio.test_base_events test_asyncio.test_buffered_proto
    test_asyncio.test_context test_asyncio.test_eager_task_factory test_asyncio.test_events
    test_asyncio.test_futures test_asyncio.test_locks test_asyncio.test_pep492
    test_asyncio.test_runners test_asyncio.test_streams test_asyncio.test_subprocess
    test_asyncio.test_taskgroups test_asyncio.test_threads test_asyncio.test_timeouts
    test_asyncio.test_transports test_asyncio.test_waitfor test_base64 test_bufio test_calendar
    test_cmd test_codeop test_collections test_colorsys test_compileall test_configparser
    test_copyreg test_csv test_datetime test_decimal test_descr test_difflib test_doctest test_email
    test_filecmp test_fileinput test_fnmatch test_fractions test_genericalias test_getopt
    test_gettext test_glob test_graphlib test_gzip test_hashlib test_hmac test_htmlparser
    test_http_cookiejar test_http_cookies test_httplib test_httpservers test_importlib test_inspect
    test_ipaddress test_json test_keyword test_linecache test_locale test_logging test_mailbox
    test_mimetypes test_minidom test_netrc test_opcodes test_operator test_optparse
    test_ordered_dict test_pathlib test_pickle test_pickletools test_pkgutil test_platform
    test_plistlib test_pprint test_pyclbr test_queue test_quopri test_random test_re
    test_robotparser test_runpy test_sax test_sched test_secrets test_selectors test_shelve
    test_shutil test_statistics test_string test_stringprep test_super test_tarfile test_tempfile
    test_threading test_timeit test_tokenize test_tomllib test_traceback test_types test_unittest
    test_urllib test_urlparse test_userdict test_userlist test_uuid test_warnings test_weakref
    test_with test_xml_etree test_xmlrpc test_zipfile
""".split()
# Run as text, without the C extension and off, in one process.
FEW = "test_abc test_contextlib test_copy test_generators test_shlex test_textwrap".split()
# A function that every test calls.
_CALLED = "unittest.case.TestCase.run"

# Test modules that compare their own line numbers: not instrumented, unlike the tested modules.
OWN_LINES = {"test_gettext", "test_inspect", "test_traceback"}
_LINES = "compares a line number of its own, which has moved"
# Tests of behaviour that an injected line changes, each with the reason.
DIFFERENT = {
    "*.OriginTrackingTest.test_origin_tracking_warning": _LINES,
    "*.NestedWith.testExceptionLocation": _LINES,
    "*.Test_TestCase.testAssertWarns*Context": _LINES,
    "*.test_DocTestFinder.basics": _LINES,
    "*.datetimetester.TestModule_*.test_name_cleanup": "counts the names that a module has",
    "*.test_inspect.TestMain.test_*source": "compares with sources that python -I has",
    "*.test_inspect.TestMain.test_details": "compares with paths that python -I has",
    "*.frozen.test_finder.*_FindSpecTests.test_*": "compares with paths of the interpreter's own",
    "*.testSelectedTestNamesFunctionalTest": "python -E finds no functrace on PYTHONPATH",
}


_KEPT = "sys.setprofile of Python 3.10 and 3.11 keeps a frame's locals"
# The same for the Python fallback of the recorder.
DIFFERENT_IN_PYTHON = {
    "*.ContextManagerTestCase.test_nokeepref": _KEPT,
    "*.FinalizationTest.test_frame_resurrect": _KEPT,
    "*.FinalizationTest.test_refcycle": _KEPT,
    "*.test_raise_and_yield_from": "a signal's handler runs in the callback, an instruction early",
}


@dataclass(frozen=True)
class Ended:
    """Outcomes of tests by their ids, and the tracebacks of failed tests."""

    tests: dict[str, str]
    why: dict[str, str]


@dataclass(frozen=True)
class Place:
    """Environment for the tests of one Python."""

    python: Python
    library: Path
    folder: Path

    def results(self, names: Iterable[str], path: Iterable[Path], **variables: str) -> Ended:
        """Run test modules with ``path`` in front of the library and return their results."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FUNCTRACE", "PYTHON"))}
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        run = subprocess.run(
            [self.python.executable, _RUNNER, report, *names],
            cwd=work,
            env={
                **kept,
                "PYTHONPATH": os.pathsep.join(map(str, path)),
                "PYTHONDONTWRITEBYTECODE": "1",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=1_800,
        )
        assert run.returncode == 0, run.stderr
        found = json.loads(report.read_text(encoding="utf-8"))
        return Ended(found["ended"], found["why"])

    def traced(self, names: Iterable[str], **variables: str) -> Ended:
        """Run test modules with the instrumented library; traces are written to ``calls``."""
        calls = self.folder / "calls"
        calls.mkdir(exist_ok=True)
        for old in calls.iterdir():
            old.unlink()
        native = variables.get("FUNCTRACE_PURE") != "1"
        limits = {"FUNCTRACE_MAX_SIZE": "20M", "FUNCTRACE_FULL": "overwrite"}
        path = self.library, self.python.path(native=native)
        return self.results(names, path, FUNCTRACE_OUT=f"{calls}/%p", **limits, **variables)


@pytest.fixture(params=each_python())
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    python: Python = request.param
    if not library.has_tests(python):
        pytest.skip(f"the standard library of {python.name} comes without its tests")
    try:
        python.path(native=True)
    except CannotBuildError as error:
        pytest.skip(str(error))
    names = {name.partition(".")[0] for name in _names()}
    library.make(python, tmp_path / "library", sorted(names - OWN_LINES))
    return Place(python, tmp_path / "library", tmp_path)


def _names() -> list[str]:
    return [*PART, *MORE] if _ALL else PART


def test_results_are_the_same(place: Place) -> None:
    """Run as one test per Python because instrumenting its library takes long."""
    record = {"FUNCTRACE": "record"}
    runs = [(PART, record), *(([name], record) for name in MORE if _ALL)]
    runs += [(FEW, {**record, "FUNCTRACE_PURE": "1"})]
    runs += [(FEW, {"FUNCTRACE": "text"}), (FEW, {"FUNCTRACE": "off"})]
    differing: list[str] = []
    passed = 0
    for names, variables in runs:
        plain, traced = place.results(names, ()), place.traced(names, **variables)
        differing += _differing(plain, traced, _excused(variables))
        passed += list(plain.tests.values()).count("passed")
        _check_calls(place.folder / "calls", variables["FUNCTRACE"])
    assert not differing, "\n".join(differing)
    assert passed > (10_000 if _ALL else 2_000)


def _excused(variables: dict[str, str]) -> list[str]:
    in_python = variables["FUNCTRACE"] == "text" or "FUNCTRACE_PURE" in variables
    return [*DIFFERENT, *DIFFERENT_IN_PYTHON] if in_python else [*DIFFERENT]


def _differing(plain: Ended, traced: Ended, excused: list[str]) -> list[str]:
    """Return a line for each test with a different result, with the reason."""
    ids = plain.tests.keys() | traced.tests.keys()
    pairs = {i: (plain.tests.get(i), traced.tests.get(i)) for i in sorted(ids)}
    return [
        f"{test}: {before}, now {now}: {traced.why.get(test) or traced.why['loading']}"
        for test, (before, now) in pairs.items()
        if before != now and not any(fnmatch(test, pattern) for pattern in excused)
    ]


def _check_calls(folder: Path, mode: str) -> None:
    """Check that the output contains calls of the library and that no trace is damaged."""
    files = list(folder.iterdir())
    if mode == "off":
        assert not files
        return
    if mode == "text":
        assert any(f"->{_CALLED}\n".encode() in file.read_bytes() for file in files)
        return
    traces = [open_trace(file) for file in files]
    assert not [trace.damage for trace in traces if list(trace.damage)]
    assert any(function.name == _CALLED for trace in traces for function in trace.functions)
