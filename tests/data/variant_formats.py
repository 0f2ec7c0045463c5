"""A grid of cells as the bytes of a file: CSV, TSV, Markdown, LaTeX, workbook, JSON, printed frame."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import openpyxl

from tests.data.variant_numbers import LOCALES, Cell


@dataclass(frozen=True)
class Grid:
    """Header rows, rows of cells, and lines of text above and below."""

    heads: list[list[str]]
    rows: list[list[Cell]]
    above: list[str]
    below: list[str]


def _starred(cell: Cell) -> str:
    return f"**{cell.text}**" if cell.bold else cell.text


def _delimited(grid: Grid, sign: str) -> bytes:
    held = io.StringIO()
    writer = csv.writer(held, delimiter=sign, lineterminator="\n")
    for line in grid.above:
        writer.writerow([line])
        writer.writerow([])
    writer.writerows(grid.heads)
    writer.writerows([cell.text for cell in row] for row in grid.rows)
    for line in grid.below:
        writer.writerow([line])
    return held.getvalue().encode()


def as_csv(grid: Grid, locale: str) -> bytes:
    return _delimited(grid, ";" if LOCALES[locale][1] == "," else ",")


def as_tsv(grid: Grid, locale: str) -> bytes:
    return _delimited(grid, "\t")


def as_markdown(grid: Grid, locale: str) -> bytes:
    lines = [*grid.above, *([""] if grid.above else [])]
    head, *more = grid.heads
    lines.append("| " + " | ".join(head) + " |")
    lines.append("|" + "|".join(" --- " for _ in head) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in more]
    lines += ["| " + " | ".join(_starred(cell) for cell in row) + " |" for row in grid.rows]
    lines += ["", *grid.below] if grid.below else []
    return ("\n".join(lines) + "\n").encode()


_TEX = str.maketrans(
    {
        "#": "\\#",
        "%": "\\%",
        "_": "\\_",
        "&": "\\&",
        "~": "$\\sim$",
        "±": "$\\pm$",
        "×": "$\\times$",
        "†": "$^\\dagger$",
    }
)
_TEX |= str.maketrans({"‡": "$^\\ddagger$", "\u202f": "\\,", "^": "\\^{}", "↓": "$\\downarrow$", "*": "$^*$"})


def _tex(cell: Cell) -> str:
    text = cell.text.translate(_TEX)
    return f"\\textbf{{{text}}}" if cell.bold else text


def as_latex(grid: Grid, locale: str) -> bytes:
    width = len(grid.heads[0])
    lines = ["\\begin{table}", "\\centering", *(f"\\caption{{{line}}}" for line in grid.above)]
    lines += [f"\\begin{{tabular}}{{l{'r' * (width - 1)}}}", "\\toprule"]
    lines += [" & ".join(text.translate(_TEX) for text in row) + " \\\\" for row in grid.heads]
    lines.append("\\midrule")
    lines += [" & ".join(map(_tex, row)) + " \\\\" for row in grid.rows]
    lines += ["\\bottomrule", "\\end{tabular}", *(line.translate(_TEX) for line in grid.below), "\\end{table}"]
    return ("\n".join(lines) + "\n").encode()


def as_printed(grid: Grid, locale: str) -> bytes:
    """As pandas prints a frame: right-aligned under its headers, with an index; no header or cell holds two spaces."""
    body = [["", *grid.heads[0]], *([str(i), *(cell.text or "NaN" for cell in row)] for i, row in enumerate(grid.rows))]
    widths = [max(len(row[i]) for row in body) for i in range(len(body[0]))]
    lines = ["  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in body]
    return ("\n".join(lines) + "\n").encode()


def _typed(cell: Cell) -> str | float | int | None:
    if cell.bare:
        return int(cell.value) if cell.whole else cell.value
    return cell.text or None


def as_workbook(grid: Grid, locale: str) -> bytes:
    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = datetime(2024, 5, 2, 9, 30)
    sheet = book.active
    for line in grid.above:
        sheet.append([line])
        sheet.append([])
    for row in grid.heads:
        sheet.append(list(row))
    for cells in grid.rows:
        sheet.append([_typed(cell) for cell in cells])
    for line in grid.below:
        sheet.append([line])
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def as_records(grid: Grid, locale: str) -> bytes:
    return json.dumps(_records(grid), indent=1, ensure_ascii=False).encode()


def as_jsonl(grid: Grid, locale: str) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in _records(grid)).encode()


def _records(grid: Grid) -> list[dict[str, str | float | int | None]]:
    return [dict(zip(grid.heads[0], map(_typed, row), strict=True)) for row in grid.rows]


#: The ending of a file and what writes it.
FORMATS: dict[str, tuple[str, Callable[[Grid, str], bytes]]] = {
    "csv": ("csv", as_csv),
    "tsv": ("tsv", as_tsv),
    "markdown": ("md", as_markdown),
    "latex": ("tex", as_latex),
    "printed frame": ("txt", as_printed),
    "workbook": ("xlsx", as_workbook),
    "json": ("json", as_records),
    "jsonl": ("jsonl", as_jsonl),
}
#: Formats with numbers of their own: no locale's signs.
NATIVE = ("workbook", "json", "jsonl")
#: Formats in which rows stand that are no runs, and which can lie on their side.
MARKUP = ("csv", "tsv", "markdown", "latex", "workbook")
