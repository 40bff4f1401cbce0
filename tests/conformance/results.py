"""Test runner for the Pythons under test; writes the outcome of each test as JSON.

    python results.py FILE MODULE...

As with ``python -m test``, tests that require a resource, such as the network, are skipped.
"""

import json
import sys
import unittest
from pathlib import Path

from test import support  # the standard library's


class Results(unittest.TestResult):
    """Outcomes of tests by their ids."""

    def __init__(self):
        super().__init__()
        self.ended = {}
        self.why = {}

    def startTest(self, test):  # noqa: N802
        super().startTest(test)
        self.ended[test.id()] = "passed"

    def addSkip(self, test, _reason):  # noqa: N802
        self.ended[test.id()] = "skipped"

    def addError(self, test, err):  # noqa: N802
        self._fail(test, err)

    def addFailure(self, test, err):  # noqa: N802
        self._fail(test, err)

    def addSubTest(self, test, _subtest, err):  # noqa: N802
        if err is not None:
            self._fail(test, err)

    def addExpectedFailure(self, test, _err):  # noqa: N802
        self.ended[test.id()] = "failed as expected"

    def addUnexpectedSuccess(self, test):  # noqa: N802
        self.ended[test.id()] = "passed unexpectedly"

    def _fail(self, test, err):
        self.ended[test.id()] = "failed"
        self.why[test.id()] = self._exc_info_to_string(err, test)


def main(file, *names):
    support.use_resources = []
    results = Results()
    loader = unittest.defaultTestLoader
    for name in names:
        loader.loadTestsFromName(f"test.{name}").run(results)
    report = {"ended": results.ended, "why": {**results.why, "loading": "\n".join(loader.errors)}}
    Path(file).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
