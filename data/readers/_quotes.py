"""Rows of separated text, where a quote that stands for itself (14", an apostrophe's twin) must not swallow the rows below."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

_Span = tuple[int, int, int]  # the position of a row over several lines, its first line, that behind its last
_FEW = 20_000  # lines of one record that are parted again


def rows_of(text: str, separator: str) -> tuple[list[list[str]], tuple[str, ...]]:
    """The rows of the text, and notes on quotes that were taken for what they are. Raises csv.Error.

    A cell in quotes may hold line ends; where the lines that it holds are rows by themselves, as wide as the others, the
    quote is a stray one and each line is a row.
    """
    rows: list[list[str]] = []
    spans: list[_Span] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    before = start = 0
    try:
        for row in reader:
            start, before = before, reader.line_num
            if before - start > 1:
                spans.append((len(rows), start, before))
            rows.append(row)
    except csv.Error:
        spans.append((len(rows), before, text.count("\n") + 1))
        rows.append([])
        if spans[-1][2] - before < 2:
            raise
        return _parted(rows, spans, text, separator, broken=True)
    if rows and before - start == 1 and text[text.rstrip("\n").rfind("\n") + 1 :].count('"') % 2:
        spans.append((len(rows) - 1, start, before))  # the last line, whose quote the end closes
    return _parted(rows, spans, text, separator) if spans else (rows, ())


def _parted(
    rows: list[list[str]],
    spans: Sequence[_Span],
    text: str,
    separator: str,
    broken: bool = False,
) -> tuple[list[list[str]], tuple[str, ...]]:
    """The rows with those that swallowed others parted. `broken` says that the last is no row unless it is parted."""
    lines = text.split("\n")
    long = {at for at, _, _ in spans}
    widths = Counter(len(row) for i, row in enumerate(rows) if i not in long and len(row) > 1)
    if widths.total() < 2:  # the first quote swallowed nearly everything
        widths = Counter(
            len(r) for r in (_line(line, separator) for line in lines[:_FEW] if line.strip()) if len(r) > 1
        )
    width = widths.most_common(1)[0][0] if widths else 0
    out: list[list[str]] = []
    done = 0
    notes: list[str] = []
    stray: list[int] = []
    for at, first, last in spans:
        out += rows[done:at]
        done = at + 1
        inside = [line for line in lines[first:last] if line.strip()]
        split = [_line(line, separator) for line in inside] if last - first <= _FEW else []
        full = sum(len(row) == width for row in split)
        if (
            width > 1
            and split
            and len(split[0]) == width
            and 2 * full > len(split) > 0
            and (full > 1 or last - first == 1)
        ):
            out += split
            stray.append(next((i for i in range(first, last) if lines[i].count('"') % 2), first) + 1)
            continue
        if broken and at == len(rows) - 1:
            raise csv.Error("field larger than field limit")
        out.append(rows[at])
        if full > 1 or any(2 * len(row) >= max(width, 4) for row in split[1:-1]):
            notes.append(
                f"Lines {first + 1} to {last} were read as one row, since a quote spans them: is one not closed?"
            )
    out += rows[done:]
    if stray:
        where = (
            f"line {stray[0]}"
            if len(stray) == 1
            else f"lines {', '.join(map(str, stray[:5]))}{' …' if len(stray) > 5 else ''}"
        )
        notes.append(f"A quote in {where} is not closed in its line and was taken for a sign like any other.")
    return out, tuple(notes[:5])


def _line(line: str, separator: str) -> list[str]:
    """The cells of one line; its quotes are signs like others where they do not pair."""
    try:
        if line.count('"') % 2:
            return next(csv.reader([line], delimiter=separator, skipinitialspace=True, quoting=csv.QUOTE_NONE), [])
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []
