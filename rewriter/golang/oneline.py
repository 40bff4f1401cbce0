"""Bodies on one line, in the source layout.

gofmt keeps a body on its line while head and body take no more than 100 bytes
and five statements, and it aligns the bodies of functions on neighbouring lines.
A call that fits goes into the line. One that does not breaks the body into
lines, as gofmt would, and is marked ``//functrace:oneline`` so that strip can
put the line together again. Names for results widen a head, and so move the
bodies of the lines around it.

Source: go/printer, funcBody, bodySize and declList in nodes.go.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence

from rewriter.edit import Edit, apply
from rewriter.golang import align
from rewriter.golang.align import Row
from rewriter.golang.functions import GoFunction
from rewriter.golang.tokens import comments, tokenize

MARK = b" //functrace:oneline"
_MAX_SIZE = 100
_MAX_STATEMENTS = 5
_OPENING, _CLOSING = frozenset((b"(", b"[", b"{")), frozenset((b")", b"]", b"}"))


def is_oneline(source: bytes, function: GoFunction) -> bool:
    """Whether the body opens and closes on one line."""
    return function.open >= 0 and source.find(b"\n", function.open, function.close) < 0


def revise(
    source: bytes,
    functions: Sequence[GoFunction],
    edits: Sequence[Edit],
    revision: Callable[[bytes, list[GoFunction], Sequence[Edit]], Edit | None],
) -> Iterator[Edit]:
    """Yield ``edits``, in the source's order, with ``revision`` made of those in every run.

    A run is a group of functions, on neighbouring lines if they are declarations;
    ``revision`` returns one edit in place of a run's, or None to leave them.
    """
    starts = [e.start for e in edits]
    done = 0
    for run in _runs(source, functions):
        first = bisect.bisect_left(starts, run[0].start, done)
        last = bisect.bisect_right(starts, run[-1].close, first)
        if first < last:
            yield from edits[done:first]
            revised = revision(source, run, edits[first:last])
            yield from (revised,) if revised else edits[first:last]
            done = last
    yield from edits[done:]


def _runs(source: bytes, functions: Sequence[GoFunction]) -> Iterator[list[GoFunction]]:
    """Group those on one line or marked; what stands in another belongs to it, unlisted."""
    run: list[GoFunction] = []
    for function in functions:
        if not (is_oneline(source, function) or is_marked(source, function)):
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
    """One edit in place of ``edits``, which put calls into ``run``, if its lines do not hold them.

    None where they do, and where gofmt would not have written the lines as they are.
    """
    if not _is_rendered(source, run):
        return None
    called = [f for f in run if _call(f, edits)]
    crowded = [f for f in called if not _fits(source, f, edits)]
    moved = _moves_bodies(run, edits)
    if not crowded and not moved and not run[0].is_literal:
        crowded = _out_of_column(source, run, called, edits)
    if not (crowded or moved) or not all(_is_joinable(source, f) for f in crowded):
        return None
    rows = [_broken_row(source, f, edits) if f in crowded else _row(source, f, edits) for f in run]
    return Edit(*_extent(source, run), align.render(rows))


def join_lines(source: bytes, run: list[GoFunction], edits: Sequence[Edit]) -> Edit | None:
    """One edit in place of ``edits``, which take calls out of ``run``: :func:`break_lines` undone.

    None where nothing is marked or moved, or what is marked can no longer stand on one line.
    """
    moved = _moves_bodies(run, edits) and _is_rendered(source, run)
    if not moved and not any(is_marked(source, f) for f in run):
        return None
    new: list[Row] = []
    for function in run:
        if not is_marked(source, function):
            new.append(_row(source, function, edits))
            continue
        statements = _statements(source, function)
        if statements is None:
            return None
        body = _joined([_edited(source, a, b, edits) for a, b in statements[1:]])
        if b"\n" in body:
            return None
        new.append(Row(_head(source, function, edits), body, _comment(source, function)))
    return Edit(*_extent(source, run), align.render(new))


def ambiguous(
    source: bytes, functions: Sequence[GoFunction], edits: Sequence[Edit]
) -> Iterator[GoFunction]:
    """Yield the functions of runs that only ``edits`` would make look like gofmt's.

    To these :func:`join_lines` would not give their own blanks back.
    """
    starts = [e.start for e in edits]
    for run in _runs(source, functions):
        first = bisect.bisect_left(starts, run[0].start)
        inside = edits[first : bisect.bisect_right(starts, run[-1].close)]
        if _moves_bodies(run, inside) and not _is_rendered(source, run):
            edited = align.render([_row(source, f, inside) for f in run])
            if _edited(source, *_extent(source, run), inside) == edited:
                yield from run


def _is_rendered(source: bytes, run: list[GoFunction]) -> bool:
    """Whether gofmt could have written the lines as they are."""
    if _ends_in_crlf(source, run):
        return False
    start, end = _extent(source, run)
    return align.render([_row(source, f, ()) for f in run]) == source[start:end]


def _moves_bodies(run: list[GoFunction], edits: Sequence[Edit]) -> bool:
    """Whether ``edits`` change heads that the bodies of the other lines stand below."""
    if len(run) == 1 or run[0].is_literal:
        return False
    return any(f.start <= e.start <= f.open for f in run for e in edits)


def _call(function: GoFunction, edits: Sequence[Edit]) -> bytes:
    """The call that ``edits`` put into the function, if they do."""
    texts = (e.text for e in edits if e.start == function.open + 1)
    return next(texts, b"").strip(b" ;")


def _is_joinable(source: bytes, function: GoFunction) -> bool:
    """Whether :func:`join_lines` would write the body as it is, once it is broken into lines."""
    statements = _statements(source, function)
    if statements is None:
        return False
    texts = [source[a:b] for a, b in statements]
    return _joined(texts) == source[function.open : function.close + 1]


def _joined(statements: list[bytes]) -> bytes:
    return b"{ " + b"; ".join(statements) + b" }" if statements else b"{}"


def is_marked(source: bytes, function: GoFunction) -> bool:
    """Whether :func:`break_lines` broke this body."""
    first = source.find(b"\n", function.open) + 1
    line_end = source.find(b"\n", first)
    return 0 < first < line_end < function.close and source[first:line_end].endswith(MARK)


def _ends_in_crlf(source: bytes, run: list[GoFunction]) -> bool:
    """gofmt writes no such line."""
    end = source.find(b"\n", run[-1].close)
    return end > 0 and source[end - 1 : end] == b"\r"


def _extent(source: bytes, run: list[GoFunction]) -> tuple[int, int]:
    """The bytes of a run: whole lines of declarations, but no more than a literal."""
    if run[0].is_literal:
        return run[0].start, run[0].close + 1
    end = source.find(b"\n", run[-1].close)
    return run[0].start, end if end >= 0 else len(source)


def _head(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> bytes:
    return _edited(source, function.start, function.open, edits).rstrip()


def _comment(source: bytes, function: GoFunction) -> bytes:
    """What follows a declaration on its last line."""
    if function.is_literal:
        return b""
    end = source.find(b"\n", function.close)
    return source[function.close + 1 : end if end >= 0 else len(source)].strip(b" \t")


def _row(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> Row:
    body = b"{" + _edited(source, function.open + 1, function.close + 1, edits)
    return Row(_head(source, function, edits), body, _comment(source, function))


def _broken_row(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> Row:
    indent = _indent(source, function)
    lines = [_edited(source, a, b, edits) for a, b in _statements(source, function) or ()]
    call = _call(function, edits) + MARK
    body = (b"\n" + indent + b"\t").join([b"{", call, *lines]) + b"\n" + indent + b"}"
    return Row(_head(source, function, edits), body, _comment(source, function))


def _indent(source: bytes, function: GoFunction) -> bytes:
    line = source[source.rfind(b"\n", 0, function.start) + 1 : function.start]
    return line[: len(line) - len(line.lstrip(b" \t"))]


def _edited(source: bytes, start: int, end: int, edits: Sequence[Edit]) -> bytes:
    """``source[start:end]`` with those of the edits that lie within."""
    inside = [e for e in edits if start <= e.start and e.end <= end]
    return apply(source[start:end], [Edit(e.start - start, e.end - start, e.text) for e in inside])


def _fits(source: bytes, function: GoFunction, edits: Sequence[Edit]) -> bool:
    head = _head(source, function, edits)
    body = _edited(source, function.open + 1, function.close, edits).strip()
    # gofmt counts the blank behind a declaration's "func" twice.
    size = len(head) + len(body) + (not function.is_literal)
    if size > _MAX_SIZE or b"\n" in head:
        return False
    crowded = body.count(b";") >= _MAX_STATEMENTS
    return not crowded or len(_statements(source, function) or ()) < _MAX_STATEMENTS


def _out_of_column(
    source: bytes, run: list[GoFunction], called: list[GoFunction], edits: Sequence[Edit]
) -> list[GoFunction]:
    """Those with a trailing comment, if their comments no longer stand in one column."""
    commented = [f for f in run if _comment(source, f)]
    grown = {len(_row(source, f, edits).body) - len(_row(source, f, ()).body) for f in commented}
    return [f for f in commented if f in called] if len(grown) > 1 else []


def _statements(source: bytes, function: GoFunction) -> list[tuple[int, int]] | None:
    """The bytes of each statement of a body, with the comments that stand beside it.

    None where joining them does not give the body: by semicolons if it stands on
    one line, else by line breaks, where a ``//`` comment forbids to join them.
    """
    first = function.open + 1
    step = b"; " if is_oneline(source, function) else b"\n" + _indent(source, function) + b"\t"
    inside = source[first : function.close] + b"\n"
    if any(text[:2] == b"//" and b" " + text != MARK for _, text in comments(inside)):
        return None
    spans: list[tuple[int, int]] = []
    depth, start = 0, 0
    for token in tokenize(inside):
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if token.kind == "end" and depth == 0:
            spans.append(_stripped(source, first + start, first + token.start))
            start = token.end
    joined = step.join(source[a:b] for a, b in spans)
    return spans if inside.replace(MARK, b"").strip() == joined else None


def _stripped(source: bytes, start: int, end: int) -> tuple[int, int]:
    """The span without the white space and the mark at its ends."""
    text = source[start:end].removesuffix(MARK)
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
