"""A language whose entropy is known exactly: words of four tokens, drawn one after another and independently.

A context, one of 4,096 with frequencies of Zipf's law, is written as three digits to the base 16; the fourth token is the answer
that belongs to the context with probability .85 and any of the 16 answers else. Answers are symbols of their own, so that where a
word ends can be told. No word depends on another: the entropy of a token is a quarter of that of context and answer.

A stream is a function of its seed and the number of the word, so that any part of it is drawn without the rest and no run keeps
more of it than where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

Array = np.ndarray

BASE, DIGITS = 16, 3
WORD = DIGITS + 1  # tokens of a word
CONTEXTS = BASE**DIGITS
VOCAB = 2 * BASE  # digits, and the answers' own symbols
SURE = 0.85  # how often the answer is the context's own
_RULES, _WORDS = 0, 1  # the streams: of what the language is, and of what is said in it


@dataclass(frozen=True)
class Language:
    """The language of a Zipf exponent; `seed` settles which context is how frequent and what its answer is."""

    exponent: float = 1.4
    seed: int = 0

    @cached_property
    def _shares(self) -> Array:
        shares = np.arange(1, CONTEXTS + 1, dtype=float) ** -self.exponent
        return shares / shares.sum()

    @cached_property
    def _below(self) -> Array:
        return np.cumsum(self._shares)

    @cached_property
    def _rules(self) -> tuple[Array, Array]:
        """The context of each rank, and the answer of each context."""
        rng = np.random.Generator(np.random.Philox(key=np.array([self.seed, _RULES], np.uint64)))
        return rng.permutation(CONTEXTS), rng.integers(0, BASE, CONTEXTS)

    @property
    def entropy(self) -> float:
        """The entropy of a token in nats, of windows that hold every place of a word equally often."""
        p = self._shares
        other = (1.0 - SURE) / BASE
        answer = -(SURE + other) * np.log(SURE + other) - (BASE - 1) * other * np.log(other)
        return float((-p @ np.log(p) + answer) / WORD)

    @cached_property
    def _surprise(self) -> list[Array]:
        """Nats of each first digit (16,), of the second after it (256,) and of the third after both (4096,), by their number."""
        shares = np.empty(CONTEXTS)
        shares[self._rules[0]] = self._shares
        begun = [shares.reshape(-1, BASE**k).sum(axis=0) for k in range(DIGITS + 1)]
        return [np.log(np.tile(begun[k], BASE)) - np.log(begun[k + 1]) for k in range(DIGITS)]

    def losses(self, tokens: Array) -> Array:
        """What who knows the language loses on sequences that begin with a word, (..., n) tokens: nats of each (..., n)."""
        digits = np.where(tokens < BASE, tokens, 0)
        out = np.empty(tokens.shape)
        context = np.zeros((*tokens.shape[:-1], -(-tokens.shape[-1] // WORD)), np.int64)
        for k, surprise in enumerate(self._surprise):
            there = digits[..., k::WORD]
            begun = context[..., : there.shape[-1]]
            begun += BASE**k * there
            out[..., k::WORD] = surprise[begun]
        answers = tokens[..., DIGITS::WORD] - BASE
        right = answers == self._rules[1][context[..., : answers.shape[-1]]]
        other = (1.0 - SURE) / BASE
        out[..., DIGITS::WORD] = -np.log(np.array([other, SURE + other]))[right.astype(np.int64)]
        return out

    def words(self, first: int, count: int, stream: int = 0) -> Array:
        """The words from number `first` on, (count, 4) tokens. Streams have no word in common but by chance."""
        bits = np.random.Philox(key=np.array([self.seed, _WORDS + stream], np.uint64), counter=[first, 0, 0, 0])
        u = (bits.random_raw(4 * count).reshape(count, 4) >> np.uint64(11)) * 2.0**-53
        contexts, answers = self._rules
        rank = np.searchsorted(self._below, u[:, 0], side="right").clip(max=CONTEXTS - 1)
        context = contexts[rank]
        answer = np.where(u[:, 1] < SURE, answers[context], (u[:, 2] * BASE).astype(np.int64))
        digits = [context // BASE**k % BASE for k in range(DIGITS)]
        return np.stack([*digits, BASE + answer], axis=1)

    def tokens(self, first: int, count: int, stream: int = 0) -> Array:
        """The tokens from number `first` on, (count,)."""
        begin, end = first // WORD, -(-(first + count) // WORD)
        flat = self.words(begin, end - begin, stream).ravel()
        return flat[first - begin * WORD :][:count]
