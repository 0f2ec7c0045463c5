"""Rows of a LaTeX table pasted whole or in part: & between cells, \\\\ behind rows, rules and commands left out."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from data.cells.markup import words
from data.cells.values import number
from data.readers._latex_captions import captions
from data.readers._tables import holds_runs

_END = re.compile(r"\\\\\*?(?:\s*\[[^\[\]\n]{0,20}\])?")
#: Cells of several lines, whose ends are no rows'.
_STACKED = re.compile(
    r"\\(?:thead|makecell|shortstack|multirowcell|specialcell|rothead)\*?\s*(?:\[[^\[\]{}]*\]\s*)?\{(?:[^{}]|\{[^{}]*\})*\}"
)
_NESTED = re.compile(r"\\begin\{tabular\}(?:\[[ctb]\])?\{(?:@\{\}|[lcr])+\}([^&\n]{0,200}?)\\end\{tabular\}")
_BREAK = re.compile(r"\\\\\*?(?:\[[^\[\]\n]{0,20}\])?")
_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|noalign\{[^{}]*\}|addlinespace|cmidrule|cline|specialrule"
    r"|rowcolor|centering|small|footnotesize|scriptsize|caption|label|vspace|arraystretch|setlength|renewcommand|cdashline|hdashline)"
    r"(?![a-zA-Z])(?:\s*(?:\[[^\[\]]*\]|\([^()]*\)|\{(?:[^{}]|\{[^{}]*\})*\}))*"
)
_BEGIN = re.compile(
    r"\\begin\s*\{(tabular[xy]?\*?|longtable|array|NiceTabular|tabulary|supertabular)\}"
    r"((?:\s*(?:\[[^\[\]]*\]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}))*)"
)
_LEADING = re.compile(rf"(?:\s*(?:{_RULES.pattern}))*\s*")
_MOST_TABLES = 50
_AROUND = re.compile(r"\\(?:begin|end)\s*\{[a-zA-Z*]+\}(?:\s*\[[^\[\]]*\])?")
_COMMENT = re.compile(r"(?<!\\)%.*")
_SPAN = re.compile(r"\s*\\multicolumn\s*\{\s*([0-9]{1,3})\s*\}")
_DOWN = re.compile(r"\s*\\multirow\s*(?:\[[^\[\]]*\])?\s*\{\s*([0-9]{1,4})\s*\}")
_STRUCK = re.compile(r"\\(?:sout|st|xout)\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
RULED = "--"  # what the grid takes for a rule and leaves out in silence


def is_latex(text: str) -> bool:
    """Whether the text is a LaTeX table: most lines that end a row hold a cell's sign, or a table is begun."""
    head = text[:200_000]
    ends = head.count("\\\\")
    if not ends or "&" not in head:
        return False
    if _BEGIN.search(head):
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    rows = [line for line in lines if "&" in line and _END.search(line)]
    return len(rows) >= 2 and 2 * len(rows) >= len(lines)


@dataclass(frozen=True)
class _Tabular:
    """One table of the text: its first line, the cells of each of its rows by line, and what is written about it, outer first."""

    line: int
    rows: dict[int, list[str]]
    last: int
    said: tuple[str, ...]


def latex_rows(text: str) -> tuple[list[list[str]], tuple[str, ...]]:
    """A row for every line of the text, cells where a row of a table begins, and notes on tables that were left out.

    Lines of rules and commands come out as a rule, a caption as a row of one cell above its table. Of several tables those
    that hold runs are read, else the longest.
    """
    lines = [_COMMENT.sub("", line) for line in text.split("\n")]
    whole = _NESTED.sub(lambda m: _BREAK.sub(" ", m[1]), "\n".join(lines))
    whole = _STACKED.sub(lambda m: _BREAK.sub(" ", m[0]), whole)
    spans: list[tuple[int, int, int]] = []
    for found in itertools.islice(_BEGIN.finditer(whole), _MOST_TABLES):
        end = whole.find("\\end{" + found[1] + "}", found.end())
        span = found.start(), found.end(), len(whole) if end < 0 else end
        if not spans or spans[-1][2] != span[2]:  # one inside the last, or behind one that nothing ends
            spans.append(span)
    above = captions(whole, [(a, c) for a, _, c in spans])
    tables = [_tabular(whole, *span, said) for span, said in zip(spans, above, strict=True)]
    tables = tables or [_tabular(whole, 0, 0, len(whole), ())]
    chosen = [t for t in tables if holds_runs([t.rows.get(i, []) for i in range(t.line, t.last + 1)])]
    if not chosen:
        chosen = [max(tables, key=lambda t: sum(len(row) - 1 for row in t.rows.values()))]
    out: list[list[str]] = [[] if not line.strip() else [RULED] for line in text.split("\n")]
    before = -1
    for t in chosen:
        first = min(t.rows, default=t.line)
        free = [i for i in range(before + 1, first) if i <= t.line or i not in t.rows][-2:]
        about = t.said[-len(free) :] if len(t.said) <= len(free) else (" ".join(t.said),)[: len(free)]
        for i, said in zip(free[-len(about) :] if about else [], about, strict=True):
            out[i] = [said]
        for i, row in t.rows.items():
            out[i] = row
        before = t.last
    return out, _left_out(tables, chosen)


def _left_out(tables: list[_Tabular], chosen: list[_Tabular]) -> tuple[str, ...]:
    """A note on the tables that were not read."""
    others = [t for t in tables if t not in chosen]
    if not others:
        return ()
    shown = "; ".join(
        repr(t.said[-1][:60]) if t.said else ", ".join(c for c in next(iter(t.rows.values()), []) if c)[:60]
        for t in others[:3]
    )
    read = (
        f"the one in lines {chosen[0].line + 1} to {chosen[0].last + 1} was"
        if len(chosen) == 1
        else f"{len(chosen)} were"
    )
    were = "1 was" if len(others) == 1 else f"{len(others)} were"
    more = " …" if len(others) > 3 else ""
    return (f"The text has {len(tables)} LaTeX tables: {read} read, {were} left out ({shown}{more}).",)


def _tabular(whole: str, begin: int, first: int, last: int, said: tuple[str, ...]) -> _Tabular:
    """The rows of the table between two places of the text, each under the line on which its first cell stands."""
    rows: dict[int, list[str]] = {}
    below: dict[int, tuple[str, int]] = {}
    at, line = first, whole.count("\n", 0, first)
    while at < last:
        row_end = _END.search(whole, at, last)
        stop = row_end.start() if row_end else last
        piece = whole[at:stop]
        content = _AROUND.sub(" ", _RULES.sub(" ", piece))
        if content.strip() and ("&" in content or row_end):
            lead = _LEADING.match(piece)
            rows[line + piece.count("\n", 0, lead.end() if lead else 0)] = _cells(content, below)
        line += whole.count("\n", at, row_end.end() if row_end else last)
        at = row_end.end() if row_end else last
    return _Tabular(whole.count("\n", 0, begin), rows, whole.count("\n", 0, last), said)


def _cells(content: str, below: dict[int, tuple[str, int]]) -> list[str]:
    """The cells of one row; those that span columns leave blanks, those that span rows are brought down into blank ones."""
    out: list[str] = []
    for cell in _split(content):
        text = " ".join(cell.split())
        span = _SPAN.match(text)
        down = _DOWN.match(text)
        if down and int(down[1]) > 1:
            below[len(out)] = text, int(down[1]) - 1
        elif len(out) in below:
            above, left = below.pop(len(out))
            if not text:
                text = above
            if left > 1:
                below[len(out)] = above, left - 1
        plain = words(text) if math.isnan(number(text)) else text  # commands around a name are no part of it
        out.append(f"~~{plain}~~" if plain != text and _STRUCK.fullmatch(text) else plain)
        out += [""] * (min(int(span[1]), 100) - 1 if span else 0)
    return out


def _split(content: str) -> list[str]:
    """The text between the & that stand outside braces and are not escaped."""
    out, depth, begin = [], 0, 0
    skip = False
    for i, sign in enumerate(content):
        if skip:
            skip = False
        elif sign == "\\":
            skip = True
        elif sign == "{":
            depth += 1
        elif sign == "}":
            depth = max(0, depth - 1)
        elif sign == "&" and not depth:
            out.append(content[begin:i])
            begin = i + 1
    return [*out, content[begin:]]
