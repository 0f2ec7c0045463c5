"""What probes are trained on: each file of this folder is one kind of corpus, and its name is what a spec calls it.

A corpus is written as its kind and, after a colon, what the kind needs: `synthetic:1.2`, `python`, `text:/home/me/books`. A kind is a
module here whose name does not start with an underscore. It is found, not registered, and offers

    title: str                                  what it is, for a sentence
    example: str                                how it is written
    make(asked, spec) -> dict[int, Corpus]      the corpora of what follows the colons; raises DataError with one sentence
    settled(rest) -> str                        what follows the colon, so that it means the same in any folder
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Protocol, cast

import numpy as np

from data.errors import DataError
from data.probe.spec import Spec

Array = np.ndarray


class Corpus(Protocol):
    """Token sequences by number: those to train on, and held-out ones that no run is trained on."""

    @property
    def vocab(self) -> int:
        """How many tokens there are, numbered from 0."""

    @property
    def needed(self) -> int:
        """The smallest vocabulary that holds every token that comes."""

    @property
    def alphabet(self) -> str:
        """What its tokens mean; corpora of one alphabet can be mixed."""

    @property
    def entropy(self) -> float | None:
        """Nats per token that no model can be below, where they are known."""

    @property
    def digest(self) -> str:
        """What tells its text from any other of the same name; '' where the name settles it."""

    @property
    def bytes_per_token(self) -> float | None:
        """Bytes of a held-out token on average, where a token is not one byte."""

    def sequences(self, length: int) -> int | None:
        """How many sequences of this length there are to train on; None for as many as are asked for."""

    def held_sequences(self, length: int) -> int | None:
        """How many are held out; None for as many as are asked for."""

    def train(self, numbers: Array, length: int) -> Array:
        """The training sequences of these numbers (n,), as (n, length + 1) tokens."""

    def held_out(self, first: int, count: int, length: int) -> Array:
        """Held-out sequences from a number on, as (count, length + 1) tokens."""

    def ideal(self, tokens: Array) -> Array | None:
        """The loss of the ideal predictor on sequences (n, length + 1), in nats per token (n,); None where nobody knows it."""


class Kind(Protocol):
    """What a module of this folder offers."""

    title: str
    example: str

    def make(self, asked: Mapping[int, str], spec: Spec) -> Mapping[int, Corpus]:
        """A corpus for each lane: 0 alone, or in a mixture the numbers of pools from 1 on, which have text of their own where it is drawn.

        `asked` are what follows the colons, by lane.
        """

    def settled(self, rest: str) -> str:
        """What follows the colon, with whole paths. Raises DataError where it makes no sense."""


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of corpus, by its name."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return {name: cast(Kind, importlib.import_module(f"{__name__}.{name}")) for name in names}


def named(corpus: str) -> tuple[Kind, str]:
    """The kind of a corpus and what follows the colon. Raises DataError for a name that is none."""
    kind, _, rest = corpus.partition(":")
    if kind not in kinds():
        there = ", ".join(one.example for one in kinds().values())
        raise DataError(f"{corpus!r} is no corpus; there is {there}.")
    return kinds()[kind], rest


def settled(corpus: str) -> str:
    """The same corpus in words that mean the same in any folder. Raises DataError for a name that is none."""
    kind, rest = named(corpus)
    said = kind.settled(rest)
    return f"{corpus.partition(':')[0]}:{said}" if said else corpus
