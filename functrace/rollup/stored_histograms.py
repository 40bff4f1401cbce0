"""Histograms of a store in the form of those of a fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functrace._native.row_types import BUCKETS
from functrace.analysis.histograms import Histograms
from functrace.errors import FunctraceError
from functrace.rollup.duration_buckets import MAX_BUCKET
from functrace.tracefile.reader import Clock

_BLOCK = np.dtype([("exponent", "<i4"), ("counts", "<i8", BUCKETS)])


def histograms_of(rows: Sequence[Mapping[str, Any]], owners: Sequence[int]) -> Histograms:
    """Return the histograms of rows, summed by owner.

    Args:
        rows: rows with `bucket` and `bucket_calls`; without them, a row has no calls.
        owners: the owner of each row.

    Raises:
        FunctraceError: there is no such bucket.
    """
    sizes = [len(row.get("bucket") or ()) for row in rows]
    owner = np.repeat(np.array(owners, np.int64), sizes)
    bucket = np.array([b for row in rows for b in row.get("bucket") or ()], np.int64)
    count = np.array([c for row in rows for c in row.get("bucket_calls") or ()], np.int64)
    if len(bucket) != len(count) or ((bucket < 0) | (bucket > MAX_BUCKET)).any():
        raise FunctraceError("the store has a histogram with a bucket that does not exist")
    exponents = MAX_BUCKET // BUCKETS + 1
    exponent, place = np.divmod(bucket, BUCKETS)
    keys, block = np.unique(owner * exponents + exponent, return_inverse=True)
    blocks = np.zeros(len(keys), _BLOCK)
    blocks["exponent"] = keys % exponents
    np.add.at(blocks["counts"], (block, place), count)
    return Histograms(blocks, (keys // exponents).astype(np.int32), Clock(1e9))
