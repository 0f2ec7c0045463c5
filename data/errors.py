"""What can go wrong between a file and a table of runs, each said in one sentence a person can act on."""

from __future__ import annotations

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
    """A table that leaves something open which must not be assumed. `questions` says what."""

    def __init__(self, message: str, questions: tuple[Question, ...] = ()) -> None:
        super().__init__(message)
        self.questions = questions
