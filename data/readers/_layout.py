"""Text laid out for eyes: tables between bars or drawn lines, and columns held apart by spaces, as terminals print them."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass

from data.cells.markup import words
from data.cells.values import number
from data.headers.names import loss_name, recognised
from data.readers._below import below, edges_of
from data.readers._body_columns import by_body
from data.readers._limits import MAX_COLUMNS
from data.readers._lines import LONGEST, RULED, beside_the_table, without_labels, without_prompt

_MOST = 1_000_000  # characters; nobody prints more for eyes
_MOST_LINES = 5_000  # lines of one printed table

_DRAWN = str.maketrans({**dict.fromkeys("│┃║┆┊╎╏┇┋", "|"), **dict.fromkeys("─━═╌╍┄┅", "-"), **dict.fromkeys(
    "┌┐└┘├┤┬┴┼╒╕╘╛╞╡╤╧╪╔╗╚╝╠╣╦╩╬╓╖╙╜╟╢╥╨╫┏┓┗┛┣┫┳┻╋┡┩╇╈┢┪╄╃╂┠┨┯┷┿╭╮╯╰", "+")})  # fmt: skip
_RULE = frozenset("-=:|+ \t")
_BAR_RULE = re.compile(r"(?:\|\s*)?:?-+:?\s*(?:\|\s*:?-+:?\s*)+\|?|\|\s*:?-+:?\s*\|")
_DRAWN_RULE = re.compile(r"[|+]?[-=]{2,}(?:[|+][-=]{2,})*[|+]?")
_DASHES = re.compile(r"[-=]{2,}(?: +[-=]{2,})+")
_TYPES = re.compile(
    r"[iu](?:8|16|32|64|128)|f(?:32|64)|str|bool|cat|date|enum|null|object|(?:datetime|decimal|list)\[.*\]",
    re.IGNORECASE,
)
_BARS = re.compile(r"(?<!\\)\|")
_ASIDE = re.compile(
    r"(?:In ?\[[0-9 *]*\]:.*|Out ?\[[0-9 *]*\]:\s*|>>> .*|\.\.\. .*|\[[0-9]+ rows x [0-9]+ columns\]"
    r"|\([0-9]+ rows?(?:, [0-9]+ columns?)?\)|shape: \([0-9_, ]+\)|[0-9]+ rows? in set \(.{1,20}\))"
)
_SIZE = re.compile(
    r"(?:\[([0-9]+) rows x [0-9]+ columns\]|\(([0-9]+) rows?(?:, [0-9]+ columns?)?\)|shape: \(([0-9_]+), [0-9]+\))"
)
_GLUED = re.compile(r"[^\s,;|][,;|][A-Za-z_\"']")  # a separator between words: those are cells of another kind of table
_ELIDED = frozenset(("...", "..", "…", "⋮", "⋯"))

Rows = list[list[str]]


@dataclass(frozen=True)
class Layout:
    """A row for each line of the text, cells where it is a row of a table. `known` counts the names known in its headers."""

    rows: Rows
    notes: tuple[str, ...]
    known: int
    drawn: bool  # whether bars or lines say where the cells are


def layout(text: str) -> Layout | None:
    """The text's lines cut into cells by bars or by the spaces that align them; None where neither makes columns."""
    if len(text) > _MOST:
        return None
    lines = without_labels(text.split("\n"))
    if any(len(line) > LONGEST for line in lines):
        return None
    found = _barred(lines)
    if found is None or not _known(found.rows):
        found = _spaced(lines)
    if found is None:
        return None
    notes = [*found.notes, *_cut_out(found.rows, lines)]
    return Layout(found.rows, tuple(notes), _known(found.rows), found.drawn)


def known_in(cells: list[str]) -> int:
    """How many of the cells are names of columns that are known; 0 where a number stands among them."""
    texts = [words(c.strip()[:200]) for c in cells[:200] if c.strip()]
    return 0 if any(re.fullmatch(r"[-+]?[.,]?[0-9][-+0-9.,eE]*", t) for t in texts) else sum(map(recognised, texts))


def _known(rows: Rows) -> int:
    return max((known_in(row) for row in rows[:2000] if len(row) > 1), default=0)


# Bars -----------------------------------------------------------------------------------------------------------------


def _barred(lines: list[str]) -> Layout | None:
    """Markdown, grids and boxes: cells between bars, where a line of dashes between bars says that they are meant so."""
    drawn = [line.translate(_DRAWN) for line in lines]
    boxes = any(new != old and "|" in new for new, old in zip(drawn, lines, strict=True))
    ruled = [
        bool(_BAR_RULE.fullmatch(line.strip())) or ("+" in line and bool(_DRAWN_RULE.fullmatch(line.strip())))
        for line in drawn
    ]
    if not any(ruled) or not any("|" in line and not r for line, r in zip(drawn, ruled, strict=True)):
        return None
    rows: Rows = []
    prose = beside_the_table(drawn, ruled)
    for i, (line, rule) in enumerate(zip(drawn, ruled, strict=True)):
        if i in prose:
            rows.append([line.strip()])
        elif rule or (boxes and line.strip() and set(line) <= _RULE):
            rows.append([RULED])
        elif not line.strip():
            rows.append([])
        elif "|" in line and (len(cells := _cells(line)) > 1 or line.strip().startswith("|")):
            rows.append(cells)
        else:
            rows.append([line.strip()])
    for i in range(1, len(rows)):  # polars says the types of its columns below a row of dashes
        filled = [c for c in rows[i] if c and c not in _ELIDED]
        if len(filled) > 1 and all(_TYPES.fullmatch(c) or not c.strip("-") for c in filled):
            rows[i] = [RULED]
    if boxes:
        rows = [[_unquoted(c) for c in row] for row in rows]
    return Layout(rows, (), 0, True)


def _cells(line: str) -> list[str]:
    inside = line.strip()
    inside = inside.removeprefix("|")
    if inside.endswith("|") and not inside.endswith("\\|"):
        inside = inside[:-1]
    return [c.strip().replace("\\|", "|") for c in _BARS.split(inside)]


def _unquoted(cell: str) -> str:
    return cell[1:-1] if len(cell) > 2 and cell[0] == cell[-1] == '"' else cell


# Spaces ---------------------------------------------------------------------------------------------------------------


def _spaced(lines: list[str]) -> Layout | None:
    """Columns held apart by spaces, block by block; None where no block has a header of names that are known."""
    if sum("  " in line.strip() for line in lines) < 2:
        return None
    lines = [line.expandtabs() if "\t" not in line.strip() else "" for line in lines]
    lines = [without_prompt(line) if not _ASIDE.fullmatch(line.strip()) else line for line in lines]
    blocks: list[tuple[int, int]] = []
    begin: int | None = None
    for i, line in enumerate([*lines, ""]):
        if line.strip() and not _ASIDE.fullmatch(line.strip()):
            begin = i if begin is None else begin
        elif begin is not None:
            blocks.append((begin, i))
            begin = None
    rows: Rows = [[line.strip()] if line.strip() else [] for line in lines]
    tables: list[tuple[int, int]] = []
    before: tuple[int, Rows, bool] | None = None
    for start, stop in blocks:
        found = _block(lines[start:stop], before is not None and before[2])
        if found is None:
            more = [re.split(r" {2,}", line.strip()) for line in lines[start:stop]]
            if before is not None and not before[2] and all(len(p) == len(before[1][0]) for p in more):
                rows[start:stop] = more
                tables[-1] = tables[-1][0], stop
            elif (
                before is not None
                and not before[2]
                and any(goes_on_below := below(lines, before[0], before[1], start, stop))
            ):
                rows[start:stop] = [c or rows[start + k] for k, c in enumerate(goes_on_below)]
                tables[-1] = tables[-1][0], stop
            else:
                before = None
            continue
        skip, cut, goes_on = found
        at = start + skip
        if skip and (names := _above(lines[at - 1], cut[0], lines[at])):
            rows[at - 1] = names
        if before is not None and before[2] and len(before[1][0]) < MAX_COLUMNS and _same_index(before[1], cut):
            for k, row in enumerate(cut):
                rows[before[0] + k] = before[1][k] = before[1][k] + row[1:]
                rows[at + k] = [RULED]
            before = (before[0], before[1], goes_on)
            continue
        for k, row in enumerate(cut):
            rows[at + k] = row
        before = (at, cut, goes_on)
        tables.append((at, at + len(cut)))
    for header, last in tables:
        width = len(rows[header])
        without_index(rows, header, last)
        if header and len(rows[header - 1]) == width > len(rows[header]):
            rows[header - 1] = rows[header - 1][1:]
    return Layout(rows, (), 0, False) if tables else None


def _above(line: str, names: list[str], header: str) -> list[str]:
    """The cells of a line of names above the header, each over the column that it stands above; [] where it is none."""
    spans: list[tuple[int, int]] = []
    at = 0
    for name in names:
        found = header.find(name, at) if name else at
        if found < 0 and not spans:  # the name of an index, which stands in a line below
            found = at
        elif found < 0:
            return []
        spans.append((found, found + len(name)))
        at = spans[-1][1] if header[found : spans[-1][1]] == name else at
    out = [""] * len(names)
    for m in _APART.finditer(line):
        over = [j for j, (a, b) in enumerate(spans) if a < m.end() and m.start() < b]
        if not over or out[over[0]] or not math.isnan(number(m[0])):
            return []
        out[over[0]] = m[0]
    return out if sum(map(bool, out)) > 1 else []


def _same_index(one: Rows, other: Rows) -> bool:
    return len(one) == len(other) and all(a[:1] == b[:1] for a, b in zip(one[1:], other[1:], strict=True))


def _block(lines: list[str], continues: bool = False) -> tuple[int, Rows, bool] | None:
    """The position of the header in a block, the rows from there on, and whether the header ends in a backslash.

    A block that continues the one before it, whose header said so, may have names that are not known.
    """
    if len(lines) > _MOST_LINES:
        return None
    best: tuple[int, Rows, bool] | None = None
    for skip in range(min(5, len(lines) - 1)):
        here = lines[skip:]
        goes_on = here[0].rstrip().endswith("\\")
        if goes_on:
            here = [line.rstrip().removesuffix("\\") for line in here]
        here = _overlaid(here)
        cut = _by_dashes(here) or _by_two_spaces(here) or _by_words(here) or _by_body_or_gutters(here)
        if cut is None or any(_GLUED.search(c) for c in cut[0]) or not _holds_numbers(cut):
            continue
        known = known_in(cut[0])
        if best is None:
            named = known >= 1 or (skip == 0 and len(cut[0]) > 2 and any(loss_name(c) for c in cut[0]))
            best = (skip, cut, goes_on) if named or goes_on or continues else None
        elif known > known_in(best[1][0]):
            best = skip, cut, goes_on
    return best


def _overlaid(lines: list[str]) -> list[str]:
    """The lines with the names of an index, which pandas prints in a line of its own below the others, in the header."""
    if len(lines) < 3:
        return lines
    header, names = lines[0], lines[1].rstrip()
    if not names or names == RULED or len(names) > len(header) - len(header.lstrip()) or known_in(header.split()) < 1:
        return lines
    return [names + header[len(names) :], RULED, *lines[2:]]


def _holds_numbers(cut: Rows) -> bool:
    """Whether columns below the header are numbers, two of them at least: a paragraph of prose may have columns too."""
    width = len(cut[0])
    body = [row for row in cut[1:50] if len(row) == width]
    share = [sum(not math.isnan(number(row[j])) or row[j] in _ELIDED for row in body) for j in range(min(width, 200))]
    return sum(2 * s >= max(len(body), 1) for s in share) >= min(2, width - 1)


def _by_dashes(lines: list[str]) -> Rows | None:
    """Columns below dashes, as tabulate writes them."""
    at = next((i for i, line in enumerate(lines[:3]) if _DASHES.fullmatch(line.strip())), None)
    if at is None:
        return None
    spans = [m.span() for m in re.finditer(r"[-=]+", lines[at])]
    edges = [0, *((a[1] + b[0] + 1) // 2 for a, b in itertools.pairwise(spans))]
    out: Rows = []
    for line in lines:
        if _DASHES.fullmatch(line.strip()):
            out.append([RULED])
        else:
            out.append([line[a:b].strip() for a, b in zip(edges, [*edges[1:], None], strict=True)])
    if at == 0:  # dashes above the header too
        out = [*out[1:], []]
    return out if len(out[0]) > 1 else None


def _by_two_spaces(lines: list[str]) -> Rows | None:
    return _aligned(lines, _APART)


def _by_words(lines: list[str]) -> Rows | None:
    return _aligned(lines, _WORDS)


_APART = re.compile(r"\S+(?: \S+)*")
_WORDS = re.compile(r"\S+")


def _aligned(lines: list[str], cell: re.Pattern[str]) -> Rows | None:
    """The lines cut into such cells, where all rows have as many and stand below the names that they would belong to.

    Below a negative number one space may be all that is left between two columns, and a name may hold one too.
    """
    spans = [[m.span() for m in cell.finditer(line)] if line != RULED else [] for line in lines]
    width = max((len(row) for row in spans[1:]), default=0)
    lacking = width - len(spans[0])
    if width < 2 or lacking not in (0, 1) or any(len(row) not in (0, 1, width) for row in spans[1:]):
        return None
    body = [row for row in spans[1:] if len(row) == width]
    below = sum(a < d and c < b for row in body for (a, b), (c, d) in zip(spans[0], row[lacking:], strict=True))
    if not body or below < 0.8 * len(body) * len(spans[0]):
        return None
    out = [[line[a:b] for a, b in row] for line, row in zip(lines, spans, strict=True)]
    out = [[RULED] if line == RULED else row for line, row in zip(lines, out, strict=True)]
    return [[""] * lacking + out[0], *out[1:]]


def _by_body_or_gutters(lines: list[str]) -> Rows | None:
    """Columns between blank positions, unless they hold two columns of the rows below or hide names that are known."""
    cut, other = _by_gutters(lines), by_body(lines)
    if cut is None or other is None:
        return cut or other
    joined = any("  " in cell for row in cut if len(row) > 1 for cell in row)
    return other if joined or known_in(other[0]) > known_in(cut[0]) else cut


def _by_gutters(lines: list[str]) -> Rows | None:
    """Columns between positions that are blank in every line."""
    widest = max(map(len, lines))
    if len(lines) * widest > _MOST:
        return None
    blank = [all(line[j : j + 1] in ("", " ") for line in lines if line != RULED) for j in range(widest)]
    for least in (2, 1):
        edges = [0, *edges_of(blank, least)]
        out = [[line[a:b].strip() for a, b in zip(edges, [*edges[1:], None], strict=True)] for line in lines]
        # A gap of one space may stand inside a name: then every name in the header has to be one word.
        named = (
            all(c and ("  " if least > 1 else " ") not in c for c in out[0][1:])
            and "  " not in out[0][0]
            and len(edges) > 1
        )
        if named and (least > 1 or known_in(out[0]) >= 2):
            return [[RULED] if line == RULED else row for line, row in zip(lines, out, strict=True)]
    return None


# What printing leaves out -----------------------------------------------------------------------------------------------


def _cut_out(rows: Rows, lines: list[str]) -> list[str]:
    """Notes on what the print left out, with those rows and columns, and lines around the tables, made blank."""
    notes: list[str] = []
    elided = 0
    for i, row in enumerate(rows):
        dots = [c for cell in row for c in cell.split()[:9]] if len(row) > 1 and row[-1][:1] in ".…⋮⋯" else []
        if len(dots) > 1 and _ELIDED.issuperset(dots):
            rows[i] = [RULED]
            elided += 1
    columns = [
        i for i, row in enumerate(rows[:-1]) if len(row) > 2 and any(c in _ELIDED for c in row) and known_in(row)
    ]
    for i in columns:
        _without_elided(rows, i)
    if columns:
        notes.append("The printed table leaves out columns in its middle ('...').")
    stated = [int((m[1] or m[2] or m[3]).replace("_", "")) for line in lines if (m := _SIZE.fullmatch(line.strip()))]
    for i, line in enumerate(lines):
        if _ASIDE.fullmatch(line.strip()):
            rows[i] = [RULED]
    if elided:
        whole = f" of {max(stated):,}" if stated else ""
        notes.append(f"The printed table leaves out rows in its middle ('...'): only those printed{whole} are read.")
    return notes


def _without_elided(rows: Rows, header: int) -> None:
    """Take columns of dots out of the rows below a header, as far as they are as wide, in place."""
    width = len(rows[header])
    dots = {j for j, c in enumerate(rows[header]) if c in _ELIDED}
    i = header
    while i < len(rows) and len(rows[i]) in (0, 1, width):
        if len(rows[i]) == width and all(rows[i][j] in _ELIDED for j in dots):
            rows[i] = [c for j, c in enumerate(rows[i]) if j not in dots]
        elif len(rows[i]) == width:
            break
        i += 1


def without_index(rows: Rows, header: int, last: int) -> None:
    """Take the column without a name that counts a frame's rows out of the rows from `header` to `last`, in place."""
    body = [row for row in rows[header + 1 : last] if len(row) > 1]
    if len(rows[header]) < 2 or rows[header][0] or not body:
        return
    first = [row[0] for row in body if row[0] not in _ELIDED]
    if not first:
        return
    if all(re.fullmatch(r"[0-9]{1,9}", c) for c in first) and len(set(first)) == len(first):
        for i in range(header, last):
            if len(rows[i]) > 1:
                rows[i] = rows[i][1:]
    elif len(set(first)) == len(first) and not any(re.fullmatch(r"[-+0-9.,]+", c) for c in first):
        rows[header] = ["run", *rows[header][1:]]
