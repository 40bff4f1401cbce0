"""Analysis of a trace's events: call chains, histograms and single calls."""

from functrace.analysis.calls import Calls
from functrace.analysis.chains import Chains, Functions
from functrace.analysis.fold import Listing, calls, fold, fold_requests
from functrace.analysis.histograms import Histogram, Histograms
from functrace.analysis.merge import Forest, merge
from functrace.analysis.origins import Origins
from functrace.analysis.selection import Selection

__all__ = [
    "Calls",
    "Chains",
    "Forest",
    "Functions",
    "Histogram",
    "Histograms",
    "Listing",
    "Origins",
    "Selection",
    "calls",
    "fold",
    "fold_requests",
    "merge",
]
