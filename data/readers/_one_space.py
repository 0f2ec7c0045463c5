"""Text whose cells stand one space apart: `# N D L` as NumPy writes it, and names of two words as a PDF gives them: Val loss."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from data.cells.markup import words
from data.cells.values import number
from data.headers.names import loss_name, named

_MOST_WORDS = 24  # in a line of names
_MOST_IN_A_NAME = 4
_LONGEST = 300  # characters of a line of names
_LOOK = 5  # lines among which the names stand
_MARGIN = 0.1  # by which the best way of cutting names is better than any other
_SHARE = 0.5  # of the cells that are numbers


def one_space(text: str) -> list[list[str]]:
    """The lines as rows of cells, those above the names whole; [] where no line of names is one of the rows below it."""
    lines = text.splitlines()
    filled = [i for i, line in enumerate(lines) if line.strip()]
    for k, at in enumerate(filled[: min(_LOOK, len(filled) - 1)]):
        body = [lines[i].split() for i in filled[k + 1 :]]
        width = len(body[0])
        if width < 2 or any(len(row) != width for row in body):
            continue
        names = _names(lines[at].strip(), width) if len(lines[at]) <= _LONGEST else None
        if names is None or not _holds_numbers(body):
            continue
        rows = [[line.strip()] if i < at and line.strip() else line.split() for i, line in enumerate(lines)]
        rows[at] = names
        return rows
    return []


def _names(line: str, width: int) -> list[str] | None:
    """The line cut into as many names that are known; None where it cannot be, or two ways of cutting are as good."""
    line = re.sub(r"^#\s+", "", line)
    parts = re.sub(r"\s+(?=[(\[])", "\0", line).split()
    parts = [p.replace("\0", " ") for p in parts]
    if not width <= len(parts) <= _MOST_WORDS:
        return None
    if len(parts) == width:
        return parts if all(_known(p) for p in parts) else None
    # The best and the second best way to cut the first n parts into k names, each with its points.
    ways: list[list[list[tuple[float, list[str]]]]] = [[[] for _ in range(width + 1)] for _ in range(len(parts) + 1)]
    ways[0][0] = [(0.0, [])]
    for n in range(1, len(parts) + 1):
        for k in range(1, width + 1):
            found = []
            for m in range(max(0, n - _MOST_IN_A_NAME), n):
                name = " ".join(parts[m:n])
                if ways[m][k - 1] and (sure := _known(name)):
                    found += [(points + sure, [*names, name]) for points, names in ways[m][k - 1]]
            ways[n][k] = sorted(found, key=lambda w: -w[0])[:2]
    best = ways[-1][width]
    if not best or (len(best) > 1 and best[0][0] - best[1][0] < _MARGIN):
        return None
    return best[0][1]


def _known(name: str) -> float:
    """How far a name says what its column is; 0 where it does not."""
    said = loss_name(words(name))
    if said is not None:
        return 1.0 if said.split else 0.7
    found = named(words(name))
    return found[0][1] if found else 0.0


def _holds_numbers(body: Sequence[Sequence[str]]) -> bool:
    """Whether at least half of the cells of the first rows are numbers."""
    return float(np.mean([not np.isnan(number(c)) for row in body[:100] for c in row])) >= _SHARE
