"""Function bodies on one line, in the source layout.

gofmt keeps a body on its line while head and body take at most 100 bytes and five
statements, and it aligns the bodies of functions on neighbouring lines. A call that
fits is inserted into the line. A call that does not fit breaks the body into several
lines, as gofmt would, and is marked ``//functrace:oneline`` so that strip can join
them again. Names for results widen a head, which moves the bodies on the
neighbouring lines.

Source: go/printer, funcBody, bodySize and declList in nodes.go.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence

from rewriter.edit import Edit, apply
from rewriter.golang import align
from rewriter.golang.align import Row
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import find_comments, tokenize

MARK = b" //functrace:oneline"
_MAX_SIZE = 100
_MAX_STATEMENTS = 5
_OPENING, _CLOSING = frozenset((b"(", b"[", b"{")), frozenset((b")", b"]", b"}"))


def is_one_line(source: bytes, function: GoFunction) -> bool:
    """Return whether the body opens and closes on one line."""
    return function.open >= 0 and source.find(b"\n", function.open, function.close) < 0


def revise(
    source: bytes,
    functions: Sequence[GoFunction],
    edits: Sequence[Edit],
    revision: Callable[[bytes, list[GoFunction], Sequence[Edit]], Edit | None],
) -> Iterator[Edit]:
    """Yield ``edits``, in source order, with those in each run replaced by ``revision``.

    A run is a function literal or a group of declarations on neighbouring lines;
    ``revision`` returns one edit to replace a run's edits, or None to keep them.
    """
    starts = [e.start for e in edits]
    done = 0
    for run in _group_runs(source, functions):
        first = bisect.bisect_left(starts, run[0].start, done)
        last = bisect.bisect_right(starts, run[-1].close, first)
        if first < last:
            yield from edits[done:first]
            revised = revision(source, run, edits[first:last])
            yield from (revised,) if revised else edits[first:last]
            done = last
    yield from edits[done:]


def _group_runs(source: bytes, functions: Sequence[GoFunction]) -> Iterator[list[GoFunction]]:
    """Group one-line and marked functions into runs, without those nested in another."""
    run: list[GoFunction] = []
    for function in functions:
        if not (is_one_line(source, function) or is_marked(source, function)):
            continue
        if run and function.start < run[-1].close:
            continue
        if run and not _are_neighbours(source, run[-1], function):
            yield run
            run = []
        run.append(function)
    if run:
        yield run


def _are_neighbours(source: bytes, one: GoFunction, other: GoFunction) -> bool:
    if one.is_literal or other.is_literal:
        return False
    return source.count(b"\n", one.close, other.start) == 1


def break_lines(source: bytes, run: list[GoFunction], edits: Sequence[Edit]) -> Edit | None:
    """Return one edit to replace ``edits``, which insert calls into ``run``, if lines must break.

    None if the calls fit, or if gofmt would have formatted the lines differently.
    """
    if not _is_formatted(source, run):
        return None
    with_call = [f for f in run if _get_call(f, edits)]
    to_break = [f for f in with_call if not _fits(source, f, edits)]
    moved = _moves_bodies(run, edits)
    if not to_break and not moved and not run[0].is_literal:
        to_break = _find_misaligned(source, run, with_call, edits)
    if not (to_break or moved) or not all(_is_joinable(source, f) for f in to_break):
        return None
    rows = [
        _make_broken_row(source, f, edits) if f in to_break else _make_row(source, f, edits)
        for f in run
    ]
    return Edit(*_get_extent(source, run), align.render(rows))


def join_lines(source: bytes, run: list[GoFunction], edits: Sequence[Edit]) -> Edit | None:
    """Return one edit to replace ``edits``, which remove calls from ``run``.

    It undoes :func:`break_lines`. None if nothing is marked or moved, or if a marked
    body no longer fits on one line.
    """
    moved = _moves_bodies(run, edits) and _is_formatted(source, run)
    if not moved and not any(is_marked(source, f) for f in run):
        return None
    rows: list[Row] = []
    for function in run:
        if not is_marked(source, function):
            rows.append(_make_row(source, function, edits))
            continue
        statements = _split_statements(source, function)
        if statements is None:
            return None
        body = _join_statements([_apply_within(source, a, b, edits) for a, b in statements[1:]])
        if b"\n" in body:
            return None
        rows.append(Row(_get_head(source, function, edits), body, _get_comment(source, function)))
    return Edit(*_get_extent(source, run), align.render(rows))


def find_ambiguous(
    source: bytes, functions: Sequence[GoFunction], edits: Sequence[Edit]
) -> Iterator[GoFunction]:
    """Yield the functions of runs that are formatted as by gofmt only after ``edits``.

    :func:`join_lines` could not restore their original blanks.
    """
    starts = [e.start for e in edits]
    for run in _group_runs(source, functions):
        first = bisect.bisect_left(starts, run[0].start)
        inside = edits[first : bisect.bisect_right(starts, run[-1].close)]
        if _moves_bodies(run, inside) and not _is_formatted(source, run):
            edited = align.render([_make_row(source, f, inside) for f in run])
            if _apply_within(source, *_get_extent(source, run), inside) == edited:
                yield from run


def _is_formatted(source: bytes, run: list[GoFunction]) -> bool:
    """Return whether the lines are formatted as gofmt would."""
    if _ends_in_crlf(source, run):
        return False
    start, end = _get_extent(source, run)
    return align.render([_make_row(source, f, ()) for f in run]) == source[start:end]


def _moves_bodies(run: list[GoFunction], edits: Sequence[Edit]) -> bool:
    """Return whether ``edits`` widen heads, which moves the bodies on the other lines."""
    if len(run) == 1 or run[0].is_literal:
        return False
    return any(f.start <= e.start <= f.open for f in run for e in edits)


def _get_call(function: GoFunction, edits: Sequence[Edit]) -> bytes:
    """Return the call that ``edits`` insert into the function, or nothing."""
    texts = (e.text for e in edits if e.start == function.open + 1)
    return next(texts, b"").strip(b" ;")


def _is_joinable(source: bytes, function: GoFunction) -> bool:
    """Return whether :func:`join_lines` would restore the body after it was broken."""
    statements = _split_statements(source, function)
    if statements is None:
        return False
    texts = [source[a:b] for a, b in statements]
    return _join_statements(texts) == source[function.open : function.close + 1]


def _join_statements(statements: list[bytes]) -> bytes:
    return b"{ " + b"; ".join(statements) + b" }" if statements else b"{}"


def is_marked(source: bytes, function: GoFunction) -> bool:
    """Return whether :func:`break_lines` broke this body."""
    first = source.find(b"\n", function.open) + 1
    line_end = source.find(b"\n", first)
    return 0 < first < line_end < function.close and source[first:line_end].endswith(MARK)


def _ends_in_crlf(source: bytes, run: list[GoFunction]) -> bool:
    """Return whether the run ends in CRLF, which gofmt never writes."""
    end = source.find(b"\n", run[-1].close)
    return end > 0 and source[end - 1 : end] == b"\r"


def _get_extent(source: bytes, run: list[GoFunction]) -> tuple[int, int]:
    """Return the byte range of a run: whole lines for declarations, but only the literal."""
    if run[0].is_literal:
        return run[0].start, run[0].close + 1
    end = source.find(b"\n", run[-1].close)
    return run[0].start, end if end >= 0 else len(source)


def _get_head(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> bytes:
    return _apply_within(source, function.start, function.open, edits).rstrip()


def _get_comment(source: bytes, function: GoFunction) -> bytes:
    """Return what follows a declaration on its last line."""
    if function.is_literal:
        return b""
    end = source.find(b"\n", function.close)
    return source[function.close + 1 : end if end >= 0 else len(source)].strip(b" \t")


def _make_row(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> Row:
    body = b"{" + _apply_within(source, function.open + 1, function.close + 1, edits)
    return Row(_get_head(source, function, edits), body, _get_comment(source, function))


def _make_broken_row(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> Row:
    indent = _get_indent(source, function)
    lines = [
        _apply_within(source, a, b, edits) for a, b in _split_statements(source, function) or ()
    ]
    call = _get_call(function, edits) + MARK
    body = (b"\n" + indent + b"\t").join([b"{", call, *lines]) + b"\n" + indent + b"}"
    return Row(_get_head(source, function, edits), body, _get_comment(source, function))


def _get_indent(source: bytes, function: GoFunction) -> bytes:
    line = source[source.rfind(b"\n", 0, function.start) + 1 : function.start]
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _apply_within(source: bytes, start: int, end: int, edits: Sequence[Edit]) -> bytes:
    """Return ``source[start:end]`` after the edits that lie within."""
    inside = [e for e in edits if start <= e.start and e.end <= end]
    return apply(source[start:end], [Edit(e.start - start, e.end - start, e.text) for e in inside])


def _fits(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> bool:
    head = _get_head(source, function, edits)
    body = _apply_within(source, function.open + 1, function.close, edits).strip()
    # gofmt counts the blank after a declaration's "func" twice.
    size = len(head) + len(body) + (not function.is_literal)
    if size > _MAX_SIZE or b"\n" in head:
        return False
    may_exceed = body.count(b";") >= _MAX_STATEMENTS
    return not may_exceed or len(_split_statements(source, function) or ()) < _MAX_STATEMENTS


def _find_misaligned(
    source: bytes, run: list[GoFunction], with_call: list[GoFunction], edits: Sequence[Edit]
) -> list[GoFunction]:
    """Return the functions with a trailing comment if these comments are no longer aligned."""
    commented = [f for f in run if _get_comment(source, f)]
    growths = {
        len(_make_row(source, f, edits).body) - len(_make_row(source, f, ()).body)
        for f in commented
    }
    return [f for f in commented if f in with_call] if len(growths) > 1 else []


def _split_statements(source: bytes, function: GoFunction) -> list[tuple[int, int]] | None:
    """Return the byte range of each statement of a body, including adjacent comments.

    None if joining them would not restore the body: with semicolons if it is on one
    line, else with line breaks. A ``//`` comment prevents joining.
    """
    first = function.open + 1
    separator = (
        b"; " if is_one_line(source, function) else b"\n" + _get_indent(source, function) + b"\t"
    )
    inside = source[first : function.close] + b"\n"
    if any(text[:2] == b"//" and b" " + text != MARK for _, text in find_comments(inside)):
        return None
    spans: list[tuple[int, int]] = []
    depth, start = 0, 0
    for token in tokenize(inside):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if token.kind == "end" and depth == 0:
            spans.append(_trim(source, first + start, first + token.start))
            start = token.end
    joined = separator.join(source[a:b] for a, b in spans)
    return spans if inside.replace(MARK, b"").strip() == joined else None


def _trim(source: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the span without white space and the mark at its ends."""
    text = source[start:end].removesuffix(MARK)
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
