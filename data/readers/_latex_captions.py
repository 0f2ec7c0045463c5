"""What a LaTeX text says about each of its tables: captions of the floats around it, a heading or a line of words above it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from data.cells.markup import words

_FLOATS = re.compile(
    r"\\(begin|end)\s*\{((?:sub|wrap|sideways)?(?:table|figure)\*?|longtable\*?|minipage|tabular[xy]?\*?|supertabular|threeparttable)\}"
)
_CAPTION = re.compile(r"\\(?:sub)?caption(?:of\s*\{[a-z]+\})?\*?\s*(?:\[[^\[\]]*\])?\s*\{")
_FLOATED = re.compile(r"\\(?:subfloat|subfigure|subtable)\s*\[([^\[\]]{1,300})\]|\\subcaptionbox\s*\{([^{}]{1,300})\}")
_HEADING = re.compile(r"\\(?:(?:sub)*section|(?:sub)?paragraph|chapter)\*?\s*\{([^{}]{1,300})\}")
_MOST = 500  # captions and floats that are looked at
_LONGEST = 600  # characters of a caption

Span = tuple[int, int]


def captions(text: str, tables: Sequence[Span]) -> list[tuple[str, ...]]:
    """For each table, by where it begins and ends, what is written about it: the outer caption first, () where nothing is."""
    floats = _floats(text)
    found = []
    for m in itertools.islice(_CAPTION.finditer(text), _MOST):
        inside = [f for f in floats if f[0] <= m.start() < f[1]]
        found.append((min(inside, key=lambda f: f[1] - f[0], default=(0, len(text))), _braced(text, m.end())))
    out = []
    before = 0
    for begin, end in tables:
        around = sorted((f for f in floats if f[0] <= begin and f[1] >= end), key=lambda f: f[0] - f[1])
        said = [t for f in around for g, t in found if g == f and t]
        floated = [m[1] or m[2] for m in _FLOATED.finditer(text, before, begin)][-1:]
        said += [_plain(t) for t in floated]
        if not said:
            said = [_plain(m[1]) for m in _HEADING.finditer(text, before, begin)][-1:] + _line_above(text[before:begin])
        out.append(tuple(said[-3:]))
        before = end
    return out


def _floats(text: str) -> list[Span]:
    """Where each float, box and long table begins and ends."""
    out: list[Span] = []
    open_: list[tuple[str, int]] = []
    for m in itertools.islice(_FLOATS.finditer(text), 4 * _MOST):
        if m[1] == "begin":
            open_.append((m[2], m.start()))
        elif open_ and open_[-1][0] == m[2]:
            out.append((open_.pop()[1], m.end()))
    out += [(at, len(text)) for _, at in open_]
    return out


def _braced(text: str, at: int) -> str:
    """What stands in braces from behind the opening one, without marks."""
    depth = 1
    for i in range(at, min(len(text), at + _LONGEST)):
        depth += (text[i] == "{") - (text[i] == "}")
        if not depth:
            return _plain(text[at:i])
    return _plain(text[at : at + _LONGEST])


def _line_above(text: str) -> list[str]:
    """The last line of words, where it is no command."""
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith(("\\", "&", "}"))
    ]
    return [_plain(lines[-1][:_LONGEST])] if lines and "&" not in lines[-1] else []


def _plain(text: str) -> str:
    text = re.sub(r"\\label\s*\{[^{}]*\}", " ", text)
    return words(" ".join(text.split())[:_LONGEST])
