"""Rows of a LaTeX table pasted whole or in part: & between cells, \\\\ behind rows, rules and commands left out."""

from __future__ import annotations

import itertools
import math
import re

from data.cells import number
from data.markup import words

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


def latex_rows(text: str) -> tuple[list[list[str]], int]:
    """A row for every line of the text, cells where a row of the table begins, and how many more tables there are.

    Lines of rules and commands come out as a rule. Of several tables the longest is read.
    """
    lines = [_COMMENT.sub("", line) for line in text.split("\n")]
    whole = _NESTED.sub(lambda m: _BREAK.sub(" ", m[1]), "\n".join(lines))
    whole = _STACKED.sub(lambda m: _BREAK.sub(" ", m[0]), whole)
    tables = []
    for found in itertools.islice(_BEGIN.finditer(whole), _MOST_TABLES):
        end = whole.find("\\end{" + found[1] + "}", found.end())
        tables.append((found.end(), len(whole) if end < 0 else end))
    first, last = max(tables, key=lambda t: whole.count("&", *t), default=(0, len(whole)))
    out: list[list[str]] = [[] if not line.strip() else [RULED] for line in text.split("\n")]
    below: dict[int, tuple[str, int]] = {}
    at, line = first, whole.count("\n", 0, first)
    while at < last:
        row_end = _END.search(whole, at, last)
        stop = row_end.start() if row_end else last
        piece = whole[at:stop]
        content = _AROUND.sub(" ", _RULES.sub(" ", piece))
        if content.strip() and ("&" in content or row_end):
            lead = _LEADING.match(piece)
            cells = _cells(content, below)
            out[line + piece.count("\n", 0, lead.end() if lead else 0)] = cells
        line += whole.count("\n", at, row_end.end() if row_end else last)
        at = row_end.end() if row_end else last
    start, finish = whole.count("\n", 0, first), whole.count("\n", 0, last)
    out = [row if start <= i <= finish else [RULED] if row else [] for i, row in enumerate(out)]
    return out, max(0, len(tables) - 1)


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
        out.append(words(text) if math.isnan(number(text)) else text)  # commands around a name are no part of it
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
