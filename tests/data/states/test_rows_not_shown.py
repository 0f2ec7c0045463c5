"""Rows that a file strikes out, comments out or hides: set aside with that reason, and back on request."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import product

import openpyxl
from openpyxl.styles import Font

from data import Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
HEADER = ("run", "params", "tokens", "loss")
ROWS = (
    ("s", "125M", "2.5B", "3.45"),
    ("m", "350M", "7B", "3.95"),
    ("m2", "350M", "7B", "3.05"),
    ("l", "760M", "15.2B", "2.82"),
)
KEPT = ["s", "m2", "l"]


def with_second(form: str, cells: range = range(4)) -> list[tuple[str, ...]]:
    return [
        HEADER,
        *(tuple(form.format(c) if i == 1 and j in cells else c for j, c in enumerate(r)) for i, r in enumerate(ROWS)),
    ]


def md(rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(r)} |" for r in [rows[0], ("---",) * len(rows[0]), *rows[1:]]) + "\n"


def tex(rows: list[tuple[str, ...]]) -> str:
    return "\\begin{tabular}{lccc}\n" + "\n".join(" & ".join(r) + r" \\" for r in rows) + "\n\\end{tabular}\n"


def html(rows: list[tuple[str, ...]], second: str = "", around: tuple[str, str] = ("", "")) -> str:
    lines = [f"<tr{second if i == 2 else ''}>{''.join(f'<td>{c}</td>' for c in r)}</tr>" for i, r in enumerate(rows)]
    lines[2] = around[0] + lines[2] + around[1]
    return "<table>" + "\n".join(lines) + "</table>"


def csv(before: list[str]) -> str:
    return "\n".join(b + ",".join(r) for b, r in zip(before, [HEADER, *ROWS], strict=True)) + "\n"


def workbook(change: Callable[..., None]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in ([*HEADER], *([r, float(n[:-1]) * 1e6, float(d[:-1]) * 1e9, float(x)] for r, n, d, x in ROWS)):
        sheet.append(row)
    change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def strike(_: object, sheet: object) -> None:
    for cell in sheet[3]:  # type: ignore[index]
        cell.font = Font(strike=True)


def hide(_: object, sheet: object) -> None:
    sheet.row_dimensions[3].hidden = True  # type: ignore[attr-defined]


def test_rows_struck_out_or_hidden_are_set_aside_and_come_back(read: Read) -> None:
    lined = ' style="text-decoration: line-through"'
    for case, content, name, state in (
        ("md", md(with_second("~~{}~~")), "t.md", "struck out"),
        ("md, loss alone", md(with_second("~~{}~~", range(3, 4))), "t.md", "struck out"),
        ("md, bold", md(with_second("**~~{}~~**", range(3, 4))), "t.md", "struck out"),
        ("md, tags", md(with_second("<del>{}</del>")), "t.md", "struck out"),
        ("tex", tex(with_second(r"\sout{{{}}}")), "t.tex", "struck out"),
        ("tex, loss alone", tex(with_second(r"\st{{{}}}", range(3, 4))), "t.tex", "struck out"),
        ("html", html(with_second("<s>{}</s>")), "t.html", "struck out"),
        ("html, a style", html(with_second("{}"), lined), "t.html", "struck out"),
        ("html, hidden", html(with_second("{}"), ' style="display:none"'), "t.html", "hidden"),
        ("html, attribute", html(with_second("{}"), " hidden"), "t.html", "hidden"),
        ("xlsx, struck", workbook(strike), "t.xlsx", "struck out"),
        ("xlsx, hidden", workbook(hide), "t.xlsx", "hidden"),
        ("csv, comment", csv(["", "", "#", "", ""]), "t.csv", "commented out"),
    ):  # fmt: skip
        runs = read(content, name)
        assert runs.kept["run"].tolist() == KEPT, (case, runs.kept["run"].tolist(), runs.reasons)
        assert runs.reasons == {f"run state: {state}": 1}, case
        assert read(content, name, states=[state]).kept["loss"].tolist() == [3.45, 3.95, 3.05, 2.82], case


def test_one_name_behind_a_hash_is_set_aside_wherever_it_stands(read: Read) -> None:
    rows = (("a", "125M", "2.5B", "3.4"), ("b", "350M", "7B", "3.0"), ("c", "760M", "15B", "2.8"))
    for (at, form), sign in side_by_side(list(product(range(3), ("#{}", "# {}", "//{}", "% {}"))), ",\t;"):
        marked = [(form.format(r[0]), *r[1:]) if i == at else r for i, r in enumerate(rows)]
        text = "\n".join(sign.join(r) for r in [HEADER, *marked]) + "\n"
        case = (at, form, sign)
        assert read(text).reasons == {"run state: commented out": 1}, case
        assert len(read(text, states=["commented out"]).kept) == 3, case


def test_what_is_commented_out_is_no_row(read: Read) -> None:
    for content, name in (
        (html(with_second("{}"), around=("<!-- ", " -->")), "t.html"),
        (md(with_second("{}")).replace("| m | 350M | 7B | 3.95 |", "<!-- | m | 350M | 7B | 3.95 | -->"), "t.md"),
    ):
        runs = read(content, name)
        assert runs.kept["run"].tolist() == KEPT, name
        assert any("<!--" in n for n in runs.notes), name


def test_marks_of_every_row_and_of_names_say_nothing(read: Read) -> None:
    assert len(read("name,params,tokens,loss\n#1,1e8,2e9,3.4\n#2,2e8,4e9,3.1\n#3,4e8,8e9,2.9\n").kept) == 3
    for cells, form in ((range(1, 2), "~~{}~~"), (range(4), "~{}")):
        assert len(read(md(with_second(form, cells)), "t.md").kept) == 4, form
    every = md([HEADER, *(tuple(f"~~{c}~~" for c in r) for r in ROWS)])
    assert len(read(every, "t.md").kept) == 4


def test_a_visible_sheet_of_runs_goes_before_a_longer_hidden_one(read: Read) -> None:
    def add(book: openpyxl.Workbook, _: object) -> None:
        old = book.create_sheet("old")
        for i in range(9):
            old.append([*HEADER] if not i else [f"o{i}", i * 1e8, i * 1e9, 5.0])
        old.sheet_state = "hidden"

    runs = read(workbook(add), "t.xlsx")
    assert runs.kept["run"].tolist() == ["s", "m", "m2", "l"]
    assert any("(hidden)" in n for n in runs.notes)
