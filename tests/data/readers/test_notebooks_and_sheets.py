"""Tables that a notebook shows, and sheets of a workbook with the same columns."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import openpyxl
import pandas as pd
import pytest

from data import MappingNeeded, ReadError, Runs

Read = Callable[..., Runs]
FRAME = pd.DataFrame(
    {
        "run": ["s", "m", "l"],
        "params": [125e6, 350e6, 760e6],
        "tokens": [2.5e9, 7e9, 15.2e9],
        "val_loss": [3.45, 3.05, 2.82],
    }
)
OTHER = pd.DataFrame({"key": ["lr", "wd", "seed", "x"], "value": [1, 2, 3, 4]})


def notebook(*outputs: dict[str, object]) -> str:
    cells = [
        {"cell_type": "code", "execution_count": i, "source": [], "outputs": [o]}
        for i, o in enumerate(outputs, start=1)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def page(frame: pd.DataFrame) -> dict[str, object]:
    data = {"text/html": frame.to_html().splitlines(keepends=True), "text/plain": [str(frame)]}
    return {"output_type": "execute_result", "execution_count": 1, "data": data, "metadata": {}}


def printed(text: str) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def test_the_table_of_runs_that_a_notebook_shows_is_read(read: Read) -> None:
    for case, outputs in (
        ("a frame", (page(FRAME),)), ("another frame first", (page(OTHER), page(FRAME))), ("print", (printed(FRAME.to_string() + "\n"),)),
        ("plain text", ({"output_type": "display_data", "data": {"text/plain": FRAME.to_string()}},)),
        ("a log first", (printed("step 1: loss 3.4\nstep 2: loss 3.2\n"), page(FRAME))),
    ):  # fmt: skip
        runs = read(notebook(*outputs), "t.ipynb")
        assert runs.kept["loss"].tolist() == [3.45, 3.05, 2.82], case
        assert runs.kept["params"].tolist() == FRAME["params"].tolist(), case
        assert any(f"cell {len(outputs)} " in n for n in runs.notes), case


def test_a_notebook_without_a_table_is_refused_in_a_sentence(read: Read) -> None:
    hostile = {"cells": [3, {"outputs": [1, {"data": 4}, {"text": {"a": 1}}], "source": 7}], "nbformat": 4}
    for text in (
        notebook(printed("hello\nworld\n")),
        notebook(),
        json.dumps(hostile),
        '{"cells": [], "nbformat": 4',
        '{"cells": {}, "nbformat": 4}',
    ):
        with pytest.raises(ReadError, match="notebook"):
            read(text, "t.ipynb")


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_sheets_of_the_same_columns_are_one_table(read: Read) -> None:
    header: list[object] = ["run", "params", "tokens", "loss"]
    small: list[list[object]] = [header, ["a", 1e8, 2e9, 3.4], ["b", 2e8, 4e9, 3.1]]
    large: list[list[object]] = [header, ["c", 4e8, 8e9, 2.9], ["d", 8e8, 16e9, 2.7], ["e", 16e8, 32e9, 2.5]]
    notes: list[list[object]] = [["who", "what"], ["me", "this"]]
    runs = read(workbook(small=small, large=large, notes=notes), "t.xlsx")
    assert runs.kept["loss"].tolist() == [3.4, 3.1, 2.9, 2.7, 2.5]
    assert any("2 sheets" in n for n in runs.notes)
    again: list[list[object]] = [header, ["a", 1e8, 2e9, 3.3], ["b", 2e8, 4e9, 3.0]]
    with pytest.raises(MappingNeeded) as raised:
        read(workbook(Pile=small, C4=again), "t.xlsx")
    assert [q.key for q in raised.value.questions if q.needed] == ["split"]


def test_a_copied_sheet_with_a_changed_loss_counts_no_run_twice(read: Read) -> None:
    """The row of the later sheet is set aside with both losses; sheets of other losses throughout stay runs of their own."""
    header: list[object] = ["run", "params", "tokens", "loss"]
    losses = [3.45, 3.05, 2.82, 2.61]
    first: list[list[object]] = [[f"r{i}", 1e8 * 2**i, 2e9 * 2**i, loss] for i, loss in enumerate(losses)]
    changed = [[*row[:3], 2.9 if i == 2 else row[3]] for i, row in enumerate(first)]
    for start in (0, 1):  # with names of runs, and without
        for later in (changed, changed[::-1], [*changed[2:], *changed[:2]]):
            one, two = ([header[start:], *(row[start:] for row in rows)] for rows in (first, later))
            runs = read(workbook(runs=one, backup=two), "t.xlsx")
            assert runs.kept["loss"].tolist() == losses, start
            assert sum("2.9" in reason for reason in runs.reasons) == 1, runs.reasons
            assert any("changed" in note for note in runs.notes)
    assert len(read(workbook(runs=[header, *first], backup=[header, *changed]), "t.xlsx", keep_copies=True)) == 8
    other = [[*row[:3], row[3] + 0.05] for row in first]  # type: ignore[operator]
    assert len(read(workbook(one=[header, *first], two=[header, *other]), "t.xlsx")) == 8
    more: list[list[object]] = [*changed, ["r4", 3e9, 6e10, 2.5]]
    assert len(read(workbook(runs=[header, *first], backup=[header, *more]), "t.xlsx")) == 5
