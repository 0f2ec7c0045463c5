"""What a probe is trained on: sequences by number, and held-out ones that no run is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from data.errors import DataError
from data.probe.language import VOCAB, WORD, Language
from data.probe.spec import Spec

Array = np.ndarray

_HELD_OUT = 0  # the stream of the language that no run is trained on; from 1 on there is one for each seed
_ORDER = 2**62  # the key under which orders are drawn, apart from any language's


class Corpus(Protocol):
    """Token sequences by number. `vocab` is how many tokens there are, `entropy` nats per token where it is known."""

    @property
    def vocab(self) -> int: ...
    @property
    def entropy(self) -> float | None: ...
    @property
    def sequences(self) -> int | None:
        """How many sequences there are to train on; None for as many as are asked for."""

    def train(self, numbers: Array, length: int) -> Array:
        """The training sequences of these numbers (n,), as (n, length + 1) tokens."""

    def held_out(self, first: int, count: int, length: int) -> Array:
        """Held-out sequences from a number on, as (count, length + 1) tokens."""


@dataclass(frozen=True)
class Synthetic:
    """The language of known entropy, in windows that begin with a word."""

    language: Language = field(default_factory=Language)
    stream: int = 1

    @property
    def vocab(self) -> int:
        """Digits and answers."""
        return VOCAB

    @property
    def entropy(self) -> float:
        """Nats per token, which no model can be below."""
        return self.language.entropy

    @property
    def sequences(self) -> None:
        """There is always more of it."""
        return None

    def train(self, numbers: Array, length: int) -> Array:
        """Sequences of words that no other sequence has."""
        return self._drawn(numbers, length, self.stream)

    def held_out(self, first: int, count: int, length: int) -> Array:
        """Sequences of another stream."""
        return self._drawn(np.arange(first, first + count), length, _HELD_OUT)

    def _drawn(self, numbers: Array, length: int, stream: int) -> Array:
        if length % WORD:
            raise DataError(f"A sequence of the synthetic language is a multiple of {WORD} tokens long; {length} came.")
        numbers = np.asarray(numbers, np.int64)
        runs = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)  # numbers in a row are drawn at once
        out = np.empty((len(numbers), length + 1), np.int64)
        for begin, end in zip(runs, [*runs[1:], len(numbers)], strict=True):
            n = end - begin
            flat = self.language.tokens(int(numbers[begin]) * length, n * length + 1, stream)
            out[begin:end] = np.lib.stride_tricks.sliding_window_view(flat, length + 1)[::length]
        return out


@dataclass(frozen=True)
class Order:
    """Which sequence of n is the k-th of a run with this seed: all of them in an order of their own in each pass.

    Without an n no sequence comes twice.
    """

    n: int | None
    seed: int

    @cached_property
    def _held(self) -> dict[int, Array]:
        return {}

    def numbers(self, first: int, count: int) -> Array:
        """The numbers of the sequences `first` to `first + count` of the run, (count,)."""
        k = np.arange(first, first + count)
        n = self.n
        if n is None:
            return k
        out = np.empty(count, np.int64)
        for one in range(first // n, (first + count - 1) // n + 1):
            inside = k // n == one
            out[inside] = self._pass(one, n)[k[inside] % n]
        return out

    def _pass(self, one: int, n: int) -> Array:
        if one not in self._held:
            self._held.clear()
            key = np.array([self.seed, _ORDER + one], np.uint64)
            self._held[one] = np.random.Generator(np.random.Philox(key=key)).permutation(n)
        return self._held[one]


def corpus(spec: Spec) -> Corpus:
    """The corpus that a spec names. Raises DataError for a name that is none."""
    kind, _, rest = spec.corpus.partition(":")
    if kind == "synthetic":
        try:
            language = Language(float(rest) if rest else Language.exponent)
        except ValueError:
            raise DataError(f"What follows synthetic: is the exponent of Zipf's law; {rest!r} came.") from None
        return Synthetic(language, 1 if spec.unique_tokens else 1 + spec.seed)
    raise DataError(f"{spec.corpus!r} is no corpus; there is synthetic, or synthetic:1.2 with another exponent.")


def order(spec: Spec, text: Corpus) -> Order:
    """The order in which a run goes through its corpus: through `unique_tokens` of it where that is said."""
    n = text.sequences
    if spec.unique_tokens:
        own = max(1, int(spec.unique_tokens // spec.seq_len))
        n = own if n is None else min(n, own)
    return Order(n, spec.seed)
