"""What can go wrong between a file and a table of runs, each said in one sentence a person can act on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass


class DataError(ValueError):
    """Something about a runs table that its owner can mend; the message is one sentence for them."""


class ReadError(DataError):
    """A file that cannot be read; the message says what was expected, what came and what to do."""


NO_COLUMN = "none of them"  # the answer to which column of the file one is, where it is none


@dataclass(frozen=True)
class Question:
    """Something a table leaves open. `key` is the argument of `read_runs` that answers it.

    `options` are the answers to choose from, `guess` the likeliest of them ('' when there is none). A question that is
    not `needed` has been answered by its guess and is asked so that a person can disagree. `files` are those that it is
    about, where several are read together.
    """

    key: str  # "columns.loss" | "columns.<name>" | "loss_unit" | "bytes_per_token" | "units.<name>" | "count" | "split" | ...
    text: str
    options: tuple[str, ...] = ()
    guess: str = ""
    needed: bool = True
    files: tuple[str, ...] = ()


class MappingNeeded(ReadError):  # noqa: N818  (it says what is needed)
    """A table that leaves something open which must not be assumed. `questions` says what.

    As text it ends with the arguments of `read_runs` that answer it; `message` is the text without them, for where a person
    answers by other means.
    """

    def __init__(self, message: str, questions: tuple[Question, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.questions = message, questions
        self.first = False

    def __str__(self) -> str:
        """The message, and the arguments that answer it."""
        given = answered_by(self.questions)
        if given and self.first:
            return f"{self.message} Read the runs first, and give what read_runs(..., {given}) returns."
        return f"{self.message} Give {given}." if given else self.message

    def asked_by(self, takes: Collection[str]) -> MappingNeeded:
        """The same from a function that takes only some of the answers: where these do not do, it says to read the runs first."""
        names = {question.key.partition(".")[0] for question in self.questions if question.needed}
        self.first = not names <= set(takes)
        return self


def sentence(error: Exception) -> str:
    """What went wrong, without the arguments of a Python function that mend it."""
    return error.message if isinstance(error, MappingNeeded) else str(error)


NUMBERS = ("bytes_per_token", "devices")  # arguments that are a number of the reader's own
MOST_ANSWERED, LONGEST = 4, 80


def likeliest(questions: Iterable[Question]) -> list[tuple[Question, str]]:
    """The first questions that must be answered, each with an answer.

    The answer is the likeliest, else the first to choose from, else "..." for the reader's own; of several columns there is no first.
    """
    found = []
    for question in [q for q in questions if q.needed][:MOST_ANSWERED]:
        many = question.key.startswith("columns.") and len(question.options) > 1  # one of many would read as advice
        first = () if many else question.options
        found.append((question, next((o for o in (question.guess, *first) if o), "...")))
    return found


def answered_by(questions: Iterable[Question]) -> str:
    """The arguments of `read_runs` that answer the questions that must be, with an answer each: `columns={"loss": "a"}`."""
    alone: dict[str, str] = {}
    several: dict[str, dict[str, str]] = {}
    for question, whole in likeliest(questions):
        name, _, key = question.key.partition(".")
        answer = whole[:LONGEST]
        plain = name in NUMBERS or (name == "units" and _is_number(answer))
        value = answer if plain else json.dumps(answer, ensure_ascii=False)
        if key:
            several.setdefault(name, {})[json.dumps(key, ensure_ascii=False)] = value
        else:
            alone[name] = value
    said = [f"{name}={{{', '.join(f'{k}: {v}' for k, v in each.items())}}}" for name, each in several.items()]
    return ", ".join([*said, *(f"{name}={value}" for name, value in alone.items())])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
