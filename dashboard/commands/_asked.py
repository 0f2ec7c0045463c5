"""Which options of the command that runs answer what a reader asks."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from data.errors import Question


def options_for(questions: Iterable[Question]) -> str:
    """The options that answer the questions that must be, with an answer each; '' where the command takes no answers.

    An answer without a file goes to the files that ask: one is named only where two sets of files ask the same.
    """
    given = _options()
    asked = list(questions)
    if not asked or not given:
        return ""
    from data.errors import likeliest

    often = Counter(q.key for q in asked if q.needed)
    said = []
    for question, answer in likeliest(asked):
        name, _, key = question.key.partition(".")
        if often[question.key] > 1 and question.files:
            said += [f"--for {shlex.quote(f)} {shlex.quote(f'{question.key}={answer}')}" for f in question.files]
        elif name in given:
            said.append(f"{given[name]} {shlex.quote(f'{key}={answer}' if key else answer)}")
    return f"Give {' '.join(said)}." if said else ""


def otherwise(question: Question) -> str:
    """A question that was answered by its guess, with the option that answers it otherwise."""
    other = next((o for o in question.options if o != question.guess), "")
    option = options_for([replace(question, guess=other, options=(), needed=True)])
    return f"{question.text} {option.replace('Give', 'To answer otherwise, give', 1)}".rstrip()


def _options() -> dict[str, str]:
    """The option for each argument of `read_runs`, where the command that runs takes them."""
    context = click.get_current_context(silent=True)
    found = {p.name: p.opts[0] for p in context.command.params if p.name} if context else {}
    return found if {"columns", "by_file"} <= set(found) else {}  # elsewhere `--batch` is another thing
