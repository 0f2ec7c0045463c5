"""Columns that a layout makes, whose header does not say which of two things they count: asked about, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from data.errors import NO_COLUMN, Question
from data.table import Table

_CALLED = {
    "params": "parameters of models", "tokens": "training tokens", "steps": "training steps", "seq_len": "tokens of a sequence",
    "flops": "training FLOPs",
}  # fmt: skip


def settle_open(table: Table, answers: Mapping[str, str | None]) -> tuple[Table, list[Question]]:
    """The table with what answers leave of its open columns in `told`, and a question for what they do not.

    Of two columns that may be the same two things, the one that is not chosen is the other.
    """
    told = dict(table.told)
    questions: list[Question] = []
    chosen = {h for h in answers.values() if h}
    for header, open_ in table.open_columns.items():
        if header in chosen:
            continue
        if open_.taken:
            key = f"columns.{open_.columns[0]}"
            questions.append(Question(key, f"{open_.text} Is that right?", (header, NO_COLUMN), header, needed=False))
            continue
        taken = {c for c in open_.columns if answers.get(c)}
        left = [c for c in open_.columns if c not in answers]
        if taken and len(left) == 1:
            others = ", ".join(repr(answers[c]) for c in open_.columns if c in taken)
            told[header] = left[0], f"what {others} leaves of it"
            continue
        told[header] = "", "a column that is asked about"
        if left and f"columns.{left[0]}" not in {q.key for q in questions} and not taken:
            same = [h for h, o in table.open_columns.items() if left[0] in o.columns and h not in chosen]
            text = f"{open_.text} Does {header!r} count {_CALLED[left[0]]}?"
            if len(same) > 1:
                text = f"{open_.text} Which counts {_CALLED[left[0]]}?"
            guess = open_.guess if open_.guess in same else ""
            options = tuple(same) if len(same) > 1 else (*same, NO_COLUMN)
            questions.append(Question(f"columns.{left[0]}", text, options, guess))
            if len(same) > 1:
                told |= dict.fromkeys(same, ("", "a column that is asked about"))
                break
    return replace(table, told=told), questions
