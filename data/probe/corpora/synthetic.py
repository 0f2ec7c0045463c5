"""The language of known entropy, in windows that begin with a word; it is drawn as it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from data.errors import DataError
from data.probe.language import VOCAB, WORD, Language
from data.probe.spec import Spec

Array = np.ndarray

title = "the synthetic language of known entropy"
example = "synthetic (or synthetic:1.2 with another exponent)"

_HELD_OUT = 0  # the stream of the language that no run is trained on; from 1 on there is one for each seed
_LANE = (
    2**40
)  # streams from one pool of a mixture to the next: runs of other seeds may share streams across pools, one run never does
_MOST_KEPT = 2**24  # tokens that are kept rather than drawn anew each time they are repeated


@dataclass(frozen=True)
class Synthetic:
    """The language, from one of its streams. Its first `repeated` tokens are kept in memory, if any are said to come again."""

    language: Language = field(default_factory=Language)
    stream: int = 1
    repeated: int = 0

    vocab = needed = VOCAB
    alphabet = "words of the synthetic language"
    digest = ""
    bytes_per_token = None

    @property
    def entropy(self) -> float:
        """Nats per token, which no model can be below."""
        return self.language.entropy

    def sequences(self, length: int) -> None:
        """There is always more of it. Raises DataError for sequences that would end inside a word."""
        if length % WORD:
            raise DataError(f"A sequence of the synthetic language is a multiple of {WORD} tokens long; {length} came.")

    def held_sequences(self, length: int) -> None:
        """There is always more of it."""
        return self.sequences(length)

    def train(self, numbers: Array, length: int) -> Array:
        """Sequences of words that no other sequence has."""
        n = self.repeated // length
        if not 0 < self.repeated <= _MOST_KEPT or not len(numbers) or numbers.max() >= n:
            return self._drawn(numbers, length, self.stream)
        if length not in self._kept:
            self._kept[length] = self._drawn(np.arange(n), length, self.stream).astype(np.uint8)
        return self._kept[length][numbers].astype(np.int64)

    def held_out(self, first: int, count: int, length: int) -> Array:
        """Sequences of another stream."""
        return self._drawn(np.arange(first, first + count), length, _HELD_OUT)

    def ideal(self, tokens: Array) -> Array:
        """The loss of who knows the language, on all tokens of each sequence but its first: nats per token (n,)."""
        return self.language.losses(tokens)[:, 1:].mean(axis=1)

    @cached_property
    def _kept(self) -> dict[int, Array]:
        return {}

    def _drawn(self, numbers: Array, length: int, stream: int) -> Array:
        self.sequences(length)
        numbers = np.asarray(numbers, np.int64)
        runs = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) != 1)  # numbers in a row are drawn at once
        out = np.empty((len(numbers), length + 1), np.int64)
        for begin, end in zip(runs, [*runs[1:], len(numbers)], strict=True):
            n = end - begin
            flat = self.language.tokens(int(numbers[begin]) * length, n * length + 1, stream)
            out[begin:end] = np.lib.stride_tricks.sliding_window_view(flat, length + 1)[::length]
        return out


def settled(rest: str) -> str:
    """The exponent as it is written. Raises DataError for one that is no positive number."""
    try:
        good = not rest or 0 < float(rest) < 100
    except ValueError:
        good = False
    if not good:
        raise DataError(f"What follows synthetic: is the exponent of Zipf's law; {rest!r:.40} came.")
    return rest


def make(asked: Mapping[int, str], spec: Spec) -> dict[int, Synthetic]:
    """The language of each exponent, in a stream of the seed's own; unique tokens are the same ones for every seed."""
    return {lane: _language(float(settled(rest) or Language.exponent), spec, lane) for lane, rest in asked.items()}


def _language(exponent: float, spec: Spec, lane: int) -> Synthetic:
    unique = int(spec.pools[lane - 1].unique_tokens if lane else spec.unique_tokens)
    return Synthetic(Language(exponent), 1 + lane * _LANE + (0 if unique else spec.seed), unique)
